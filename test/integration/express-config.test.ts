import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { balance, type BalanceConfig } from '../../cmd/express/balance.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { ask } from '../support/e2e-http.ts';
import { ExpressSite, serviceOver } from '../support/express-site.ts';
import { eventually } from '../support/proxy-raw.ts';

describe('the configuration of a balance()', () => {
  let folder = '';
  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'heimdall-express-')));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function write(name: string, config: BalanceConfig): Promise<string> {
    const path = join(folder, name);
    await writeFile(`${path}.new`, JSON.stringify(config));
    await rename(`${path}.new`, path);
    return path;
  }

  it('is refused at once, in the words of heimdall check', async () => {
    const path = await write('wrong.json', { services: [serviceOver('web', [1])] });
    const services = [serviceOver('web', [1])];
    const refusals: readonly (readonly [Parameters<typeof balance>[0], RegExp])[] = [
      [
        { service: 'wbe', config: path },
        new RegExp(`^${path} has 1 problem:\n  services: no service is called "wbe"; did you mean "web"`),
      ],
      [{ service: 'other', config: { services } }, /^the configuration has 1 problem:\n {2}.*; there is web$/],
      [{ service: 'web', config: join(folder, 'missing.json') }, /missing\.json has 1 problem:\n.*does not exist/],
      [
        { service: 'web', config: { services, proxy: { timeouts: { connect: 'soon' } } } },
        /proxy\.timeouts\.connect: .*"soon"/,
      ],
      [
        { service: 'web', config: { services: [{ name: 'web', command: ['node', 'app.js'] }] } },
        /services\[0\]\.servers: are needed where no "registry" section/,
      ],
    ];
    for (const [options, message] of refusals) {
      assert.throws(() => balance(options), { name: 'ConfigError', code: 'CONFIG_INVALID', message });
    }
  });

  it('may be an object, and then touches no disk unless it names a registry', async () => {
    await using site = new ExpressSite();
    const ports = await site.backends('one');
    const services = [serviceOver('web', ports)];
    const path = join(folder, 'inline', 'registry.db');
    await site.balance({ service: 'web', config: { services } }).ready();
    await site.balance({ service: 'web', config: { services, registry: { path } } }).ready();
    assert.ok(existsSync(path));
  });

  it('puts it among the load balancers that a drain waits for, until it is closed', async () => {
    const path = join(folder, 'row', 'registry.db');
    await using site = new ExpressSite();
    const services = [serviceOver('web', await site.backends('one'))];
    const web = site.balance({ service: 'web', config: { services, registry: { path } } });
    const also = site.balance({ service: 'web', config: { services, registry: { path } } });
    await Promise.all([web.ready(), also.ready()]);
    const registry = await openManagerRegistry({ path, pid: process.pid });
    try {
      const rows = await registry.proxies();
      assert.deepEqual(
        rows.map(({ pid }) => pid),
        [process.pid, process.pid],
      );
      assert.equal(new Set(rows.map(({ id }) => id)).size, 2);
      await web.close();
      assert.equal((await registry.proxies()).length, 1);
      await web.close(); // twice is no harm
    } finally {
      await registry.close();
    }
  });

  it('is followed where it is a file, and a change without the service is refused', async () => {
    await using site = new ExpressSite();
    const [one = 0, two = 0] = await site.backends('one', 'two');
    const registry = { path: 'followed/registry.db' };
    const path = await write('followed.json', { registry, services: [serviceOver('web', [one])] });
    let lines = '';
    const destination = { write: (line: string) => void (lines += line) };
    const log = createLogger({ name: 'test', level: 'info', pretty: false, destination });
    site.app.use(site.balance({ service: 'web', config: path, log }));
    await site.listen();
    const server = async () => (await ask(`${site.url}/`)).headers['x-server'];
    assert.equal(await server(), 'one');
    await write('followed.json', { registry, services: [serviceOver('web', [two])] });
    await eventually('the change is in force', async () => (await server()) === 'two');
    await write('followed.json', { registry, services: [serviceOver('other', [one])] });
    await eventually('the refusal is logged', () => /is refused.*the service \\"web\\" is missing/.test(lines));
    assert.equal(await server(), 'two');
  });
});
