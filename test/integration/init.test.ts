import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { readAppFolder } from '../../cmd/heimdall/init/app-folder.ts';
import { guessOf } from '../../cmd/heimdall/init/guess.ts';
import { init, type InitArguments } from '../../cmd/heimdall/init/init.ts';
import { TCP } from '../../cmd/heimdall/init/plan.ts';
import { type Trial, tryApp } from '../../cmd/heimdall/init/trial.ts';
import { checkConfig, loadConfig } from '../../internal/config/load.ts';
import { isPortFree } from '../../internal/server/bind-probe.ts';
import { claimPorts, type PortBlock } from '../support/e2e-ports.ts';

const OPTIONS: InitArguments = { mailServer: 'localhost:25', yes: true, force: false, json: true, try: false };

/** @param answers - a JavaScript expression: the status for `url`. */
function server(answers: string, port = 'process.env.PORT'): string {
  return `require('http').createServer(({ url }, response) => {
    response.statusCode = ${answers};
    response.end();
  }).listen(${port}); process.on('SIGTERM', () => process.exit());`;
}

describe('heimdall init', () => {
  let folder: string;
  let ports: PortBlock;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-init-'));
    ports = await claimPorts();
  });
  afterEach(async () => {
    await ports.release();
    await rm(folder, { recursive: true });
  });

  async function trial(source: string, health: string | null, signal = new AbortController().signal): Promise<Trial> {
    await writeFile(join(folder, 'app.cjs'), source);
    const raw = { services: [{ name: 'shop', command: ['node', 'app.cjs'] }] };
    const [service] = checkConfig(raw, { env: {}, cwd: folder }).config.services;
    assert.ok(service);
    const tried = await tryApp({ service, health, others: ['/mine'], ports, env: process.env, signal });
    assert.ok(await isPortFree(ports.from), 'nothing of it is left');
    return tried;
  }

  it('tries an app, and finds the path that tells how it is', async () => {
    const mine = server("url === '/mine' ? 204 : 404");
    assert.deepEqual((await trial(mine, '/mine')).health, '/mine');
    const other = await trial(mine, '/health');
    assert.deepEqual([other.ok, other.health], [true, '/mine']);
    assert.match(other.verdict, /answers \/mine with 2xx; \/health does not, so that \/mine will be asked$/);
    const none = await trial(server('404'), null);
    assert.deepEqual([none.ok, none.health], [true, TCP]);
  });

  it('says what keeps an app from running as an instance, and what to change', async () => {
    const ended = await trial("console.error('no database'); process.exit(3);", '/');
    assert.deepEqual([ended.ok, ended.health, ended.output], [false, null, ['no database']]);
    assert.match(ended.verdict, /^it exited with code 3 after [\d.]+ s, before it listened$/);
    const [own = 0] = ports.own;
    const elsewhere = await trial(server('200', String(own)), '/');
    assert.equal(elsewhere.ok, false);
    assert.match(
      elsewhere.verdict,
      new RegExp(`listens on port ${own} instead .* listen\\(process\\.env\\.PORT \\?\\? ${own}\\)`),
    );
  });

  it('leaves nothing of an app when it is interrupted', async () => {
    const interrupt = new AbortController();
    const over = trial('setInterval(() => {}, 1000);', '/', interrupt.signal);
    setTimeout(() => interrupt.abort(new Error('enough')), 200);
    await assert.rejects(over, /enough/);
  });

  it('writes a valid configuration from what lies in the folder, and replaces none unless it is told to', async (context) => {
    context.mock.method(process.stdout, 'write', () => true);
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'shop', scripts: { start: 'node app.cjs' } }));
    await writeFile(join(folder, 'app.cjs'), `const route = '/healthz'; ${server('200')}`);
    await init(folder, { ...OPTIONS, port: '18080' });
    const path = join(folder, 'config.json');
    const { config } = await loadConfig({ path, env: {}, cwd: '/' });
    const [service] = config.services;
    assert.deepEqual(service?.command, ['node', 'app.cjs']);
    assert.deepEqual([service?.name, service?.instances, service?.cwd], ['shop', 2, folder]);
    assert.deepEqual([service?.healthCheck.path, config.proxy.port], ['/healthz', 18_080]);
    const written = await readFile(path, 'utf8');
    await assert.rejects(init(folder, OPTIONS), /config\.json exists already; name another file with --config/);
    await assert.rejects(init(folder, { ...OPTIONS, force: true, health: 'x' }), /--health: expected a path/);
    await assert.rejects(init(join(folder, 'none'), OPTIONS), /there is no folder/);
    assert.equal(await readFile(path, 'utf8'), written);
    await init(folder, { ...OPTIONS, force: true, name: 'other' });
    assert.match(await readFile(path, 'utf8'), /"name": "other"/);
  });

  it('asks for the command when nothing tells it, and takes no text for a program', async () => {
    await writeFile(join(folder, 'notes'), 'a text', { mode: 0o755 });
    await assert.rejects(init(folder, OPTIONS), /nothing in .* tells how to start the app: add --command/);
    const app = await readAppFolder('/nowhere');
    assert.deepEqual(guessOf(app, 26).command, null);
  });
});
