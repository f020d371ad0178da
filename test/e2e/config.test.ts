import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Agent } from '../../pkg/sockets/http.ts';
import { describeEngines, engineName } from '../support/engines.ts';
import { ask } from '../support/e2e-http.ts';
import { Load } from '../support/e2e-load.ts';
import type { StartedProcess } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

describeEngines('a changed config.json', () => {
  let system: System;
  let manager: StartedProcess;
  let loadBalancer: StartedProcess;
  before(async () => {
    system = await System.create();
    ({ manager, loadBalancer } = await system.startBoth(2));
  });
  after(() => system[Symbol.asyncDispose]());

  async function algorithm(): Promise<string | undefined> {
    return (await system.proxyStatus()).services[0]?.algorithm;
  }

  it('changes the algorithm live: the connections of clients stay, and no request fails', async () => {
    assert.equal(await algorithm(), 'round-robin');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const load = new Load(system.proxy, 4);
    try {
      const { localPort } = await system.get('/', { agent });
      await system.configure({ services: [sampleService({ algorithm: 'least-connections' })] });
      await eventually('the new algorithm is in force', async () => (await algorithm()) === 'least-connections');
      assert.equal((await system.get('/', { agent })).localPort, localPort);
    } finally {
      await load.stop();
      agent.destroy();
    }
    assert.deepEqual(load.failures, []);
  });

  it('is refused with a line in both logs when it is not valid, and the old one stays', async () => {
    const services = [sampleService({ algorithm: 'fastest' })];
    await system.configure({ services });
    const line =
      /the changed configuration is refused, the old one stays in force: .*services\[0\]\.algorithm.*fastest/;
    await Promise.all([manager.printed(line), loadBalancer.printed(line)]);
    await system.writeConfig('{ "services": [');
    await loadBalancer.printed(/is refused.*line 1/);
    assert.equal(await algorithm(), 'least-connections');
    assert.equal((await system.list()).length, 2);
    assert.match(await system.answering(), /^web-/);
  });

  it('starts and stops as many instances as it asks for', async () => {
    await system.configure({ services: [sampleService({ instances: 4 })] });
    await system.inRotation(4);
    await system.configure({ services: [sampleService({ instances: 1 })] });
    await system.inRotation(1);
    await eventually('the others are gone', async () => (await system.list()).length === 1);
  });

  it('brings an added service up behind its own route, and ends one that was taken out', async () => {
    const [web] = await system.list();
    const shop = sampleService({ name: 'shop', instances: 1, routes: [{ path: '/shop' }] });
    await system.configure({ services: [sampleService({ instances: 1 }), shop] });
    await system.inRotation(2);
    assert.match(String((await system.get('/shop/cart')).headers['x-server']), /^shop-/);
    assert.equal(await system.answering(), web?.id);

    await system.configure({ services: [sampleService({ instances: 1 })] });
    await eventually('its instance is gone', async () => (await system.list()).length === 1);
    await eventually('its route is gone', async () => (await system.proxyStatus()).services.length === 1);
    assert.equal((await system.get('/shop/cart')).headers['x-server'], web?.id);
  });

  it('is refused as a whole when one of its ports is in use', async () => {
    const { own, taken } = system.ports;
    const proxy = { host: '127.0.0.1', port: own[0], engine: engineName(), admin: { port: taken } };
    await system.configure({ proxy });
    await loadBalancer.printed(/is refused.*proxy\.admin/);
    assert.match(await system.answering(), /^web-/);
    await assert.rejects(ask(`http://127.0.0.1:${own[0]}/`), { code: 'ECONNREFUSED' });
    assert.equal((await system.proxyStatus()).pid, loadBalancer.pid);
  });

  it('says that another engine takes a restart, and keeps the present one', async () => {
    const { proxy: port, admin } = system.ports;
    const engine = engineName() === 'wire' ? 'middleware' : 'wire';
    await system.configure({ proxy: { host: '127.0.0.1', port, engine, admin: { port: admin } } });
    await loadBalancer.printed(/proxy\.engine .*after a restart/);
    assert.equal((await system.proxyStatus()).engine, engineName());
  });

  it('moves the listener to another port, and to another host', async () => {
    const { own, admin } = system.ports;
    const [port] = own;
    const proxy = { host: '127.0.0.1', port, engine: engineName(), admin: { port: admin } };
    await system.configure({ proxy });
    await eventually('it listens there', async () => (await ask(`http://127.0.0.1:${port}/`)).status === 200);
    await eventually('the old address is given up', () =>
      system.get().then(
        () => false,
        (error: unknown) => /ECONNREFUSED/.test(String(error)),
      ),
    );
    await system.configure({ proxy: { ...proxy, host: '0.0.0.0' } });
    await loadBalancer.printed(`now listening on 0.0.0.0:${port}`);
    assert.equal((await ask(`http://127.0.0.1:${port}/`)).status, 200);
  });
});

describe('heimdall check', () => {
  it('says what would run and exits with 0 when the configuration is valid', async () => {
    await using system = await System.create();
    const check = system.heimdall('check');
    assert.deepEqual(await check.exited, { code: 0, signal: null });
    assert.ok(check.output.startsWith(`${system.configPath} is valid.\n`), check.output);
    assert.match(check.output, /^ +service web +2 spawned, round-robin, \*\/$/m);
    assert.match(check.output, new RegExp(`^ +manager +127\\.0\\.0\\.1:${system.ports.manager}$`, 'm'));
  });

  it('names every problem with its path and exits with 1 when it is not', async () => {
    await using system = await System.create(() => ({
      services: [sampleService({ algorithm: 'fastest', healthCheck: { interval: 'soon' } })],
      surprise: true,
    }));
    const check = system.heimdall('check', '--config', system.configPath);
    assert.deepEqual(await check.exited, { code: 1, signal: null });
    for (const problem of [
      /services\[0\]\.algorithm.*"fastest"/,
      /services\[0\]\.healthCheck\.interval.*"soon"/,
      /surprise/,
    ]) {
      assert.match(check.output, problem);
    }
    const json = system.heimdall('check', '--json');
    assert.deepEqual(await json.exited, { code: 1, signal: null });
    const report: unknown = JSON.parse(json.output);
    assert.ok(report !== null && typeof report === 'object' && 'ok' in report && 'problems' in report);
    assert.equal(report.ok, false);
    assert.ok(Array.isArray(report.problems) && report.problems.length === 3);
  });

  it('exits with 2 when it is called wrongly', async () => {
    await using system = await System.create();
    const check = system.heimdall('check', '--colour');
    assert.deepEqual(await check.exited, { code: 2, signal: null });
    assert.match(check.output, /--colour/);
  });
});
