import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import request from 'supertest';
import { Inheritance } from '../../../cmd/runtime/inheritance.ts';
import { ManagerProcess } from '../../../cmd/server-manager/manager-process.ts';
import { loadConfig } from '../../../internal/config/load.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { freeRange, until } from '../../support/server-fixture.ts';
import { successorIs } from '../../support/successor-script.ts';

const QUIET = { level: 'silent' } as const;
const log = createLogger({ name: 'test', ...QUIET, pretty: false });
const onLinux = process.platform === 'linux';
const TOKEN = 'a-token-of-enough-length';

/** A manager without instances over a configuration file in a folder of its own; all of it ends with the test. */
class Site implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ManagerProcess;

  private constructor(port: number, folder: string, process: ManagerProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = process;
  }

  static async start(): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), 'heimdall-manager-'));
    const path = join(folder, 'config.json');
    const port = await freeRange(1);
    await writeFile(path, JSON.stringify({ manager: { port }, log: QUIET }));
    const reload = () => loadConfig({ path, env: {}, cwd: folder });
    const inheritance = new Inheritance(null);
    const options = { reload, baseEnv: {}, keep: false, log, inheritance, starter: null };
    const process = await ManagerProcess.start(await reload(), options);
    return new Site(port, folder, process);
  }

  async configure(manager: object, services: readonly object[] = []): Promise<void> {
    const path = join(this.#folder, 'config.json');
    await writeFile(`${path}.new`, JSON.stringify({ manager: { port: this.port, ...manager }, services, log: QUIET }));
    await rename(`${path}.new`, path);
  }

  /** Until `unlock`, and the end of the test at the latest, nobody else writes. */
  lockRegistry() {
    const database = new Database(join(this.#folder, 'data', 'registry.db'));
    database.exec('BEGIN IMMEDIATE');
    return { unlock: () => database.exec('COMMIT'), [Symbol.dispose]: () => void database.close() };
  }

  reload() {
    return this.#process.reload();
  }

  get addresses() {
    return this.#process.addresses;
  }

  /** The status of an answer; 0 when there is none. */
  async ask(fields: Readonly<Record<string, string>> = {}, host = '127.0.0.1'): Promise<number> {
    return request(`http://${host}:${this.port}`)
      .get('/status')
      .set(fields)
      .then(
        ({ status }) => status,
        () => 0,
      );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

describe('a running manager whose configuration changes', { concurrency: true }, () => {
  it('lets the names through that are allowed now', async () => {
    await using site = await Site.start();
    const ask = (name: string) => site.ask({ Host: `${name}:${site.port}` });
    assert.equal(await ask('ops.example'), 403);
    await site.configure({ allowedHosts: ['ops.example'] });
    await until('the name to be allowed', async () => (await ask('ops.example')) === 200);
    await site.configure({ allowedHosts: ['box.example'] });
    await until('the name to be refused', async () => (await ask('ops.example')) === 403);
    assert.equal(await ask('box.example'), 200);
  });

  // Whoever reaches the API can run commands on this machine: when it moves to an address that others reach,
  // a single request that is answered there without the token is one too many.
  it('asks for the new token from the first request at its new address on', { skip: !onLinux }, async () => {
    await using site = await Site.start();
    using registry = site.lockRegistry(); // the rest of the change waits for it
    await site.configure({ host: '0.0.0.0', token: TOKEN }, [{ name: 'new', command: ['x'], instances: 0 }]);
    // Only the new listener answers here; elsewhere than on Linux nobody would.
    const first = await until('an answer at the new address', () => site.ask({ Host: 'localhost' }, '127.0.0.2'));
    assert.equal(first, 401);
    assert.equal(site.addresses.api, `http://127.0.0.1:${site.port}`, 'the change is not in force yet');
    registry.unlock();
    await until('the change in force', () => site.addresses.api === `http://0.0.0.0:${site.port}`);
    assert.equal(await site.ask({ Authorization: `Bearer ${TOKEN}` }), 200);
  });
});

describe('a manager that is handing over', () => {
  it('leaves a changed configuration to its successor', async (context) => {
    const successor = await successorIs(
      context,
      `import { writeFileSync } from 'node:fs';
       process.on('message', () => process.send({ type: 'ready', addresses: {} }, () => process.exit()));
       process.send({ type: 'prepared' }, () => writeFileSync(process.argv[1] + '.prepared', ''));`,
    );
    await using site = await Site.start();
    const command = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
    const slow = { name: 'slow', command, instances: 0, readiness: { deadline: '6s' } };
    await site.configure({}, [slow]);
    const api = `http://127.0.0.1:${site.port}`;
    await until('the service', async () => (await request(api).get('/services')).body.length === 1);
    const add = () =>
      request(api)
        .post('/servers/add')
        .ok(() => true);
    const adding = Promise.all([add(), add()]); // what is under way is finished first
    await until('the instances', async () => (await request(api).get('/servers/list')).body.length === 2);
    const reloading = site.reload();
    await until('the successor', () => existsSync(`${successor}.prepared`));
    const next = await freeRange(1);
    await site.configure({ port: next }, [slow]);
    await adding;
    await assert.rejects(async () => request(`http://127.0.0.1:${next}`).get('/status'), /ECONNREFUSED/);
    await reloading;
  });
});
