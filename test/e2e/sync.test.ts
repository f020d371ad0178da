import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { Agent } from '../../pkg/sockets/http.ts';
import { WebhookReceiver } from '../support/alert-receivers.ts';
import { ask } from '../support/e2e-http.ts';
import { StartedProcess } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';
import { FrontLoad } from '../support/front-load.ts';
import { HaproxyFolder, missing, NginxFolder } from '../support/front-programs.ts';

const AddedSchema = z.object({ id: z.string(), port: z.int() });

describe('an nginx and an HAProxy that heimdall keeps true', { skip: missing('nginx') || missing('haproxy') }, () => {
  let system: System;
  let nginx: NginxFolder;
  let haproxy: HaproxyFolder;
  let nginxSync: StartedProcess;
  let running: StartedProcess;
  const people = new WebhookReceiver(true);
  /** A server that nobody spawns. */
  let declared: Server;

  const file = () => readFile(nginx.upstreams, 'utf8');
  const reloads = async () => (await readFile(nginx.reloads, 'utf8').catch(() => '')).length;
  const nginxHas = (pattern: RegExp) =>
    eventually(
      () => `nginx has ${pattern}; output:\n${system.output()}`,
      async () => pattern.test(await file()) && nginx.isSettled,
    );
  const answers = (url: string, server: string) =>
    eventually(
      () => `${server} answers at ${url}; output:\n${system.output()}`,
      async () => (await ask(url)).headers['x-server'] === server,
    );
  const startHaproxy = () => system.track(new StartedProcess(haproxy.command, { cwd: system.dir }));
  const peopleHear = (pattern: RegExp) =>
    eventually(
      () => `a message says ${pattern}: ${JSON.stringify(people.taken)}; output:\n${system.output()}`,
      () => people.taken.some(({ subject }) => pattern.test(subject)),
    );
  const spawned = async () => (await system.list()).filter(({ id }) => id.startsWith('web-'));
  const add = async () => {
    const { status, body } = await system.add();
    assert.equal(status, 201, body);
    return AddedSchema.parse(JSON.parse(body));
  };
  const remove = async (port: number) => {
    const { status, body } = await system.remove(port);
    assert.equal(status, 200, body);
  };
  const setWeight = async (id: string, weight: number) => {
    const { status, body } = await ask(`${system.api}/servers/${id}`, { method: 'PATCH', body: { weight } });
    assert.equal(status, 200, body);
  };

  before(async () => {
    declared = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
    await once(declared, 'listening');
    const { port } = declared.address() as AddressInfo;
    const elsewhere = {
      name: 'elsewhere',
      servers: [`127.0.0.1:${port}`],
      routes: [{ path: '/elsewhere' }],
      healthCheck: { interval: '10s', neverEmpty: false }, // seldom, as for load balancers that hear of failed requests
    };
    system = await System.create(({ own }) => ({
      services: [sampleService({ instances: 2 }), elsewhere],
      alerts: {
        webhooks: [{ url: `http://127.0.0.1:${own[2]}` }],
        groupWindow: '200ms',
        allowedNetworks: ['127.0.0.1'],
      },
    }));
    const [nginxPort = 0, haproxyPort = 0, hookPort = 0, lastResort = 0] = system.ports.own;
    await people.listen(hookPort);
    nginx = await NginxFolder.create(system.dir, nginxPort);
    haproxy = await HaproxyFolder.create(system.dir, haproxyPort, 2);
    const sync = (...args: readonly string[]) => system.heimdall('sync', ...args, '--config', system.configPath);
    await system.start('server-manager').isReady();
    nginxSync = sync('nginx', ...nginx.syncOptions, '--last-resort', `${lastResort}`);
    sync('haproxy', '--socket', haproxy.socket, '--backend', 'web=be_web'); // which does not run yet
    await nginxHas(/upstream web \{[^}]*server[^}]*server/);
    await chmod(nginx.upstreams, 0o640);
    system.track(new StartedProcess(nginx.command, { cwd: system.dir }));
    running = startHaproxy();
    for (const { id } of await spawned()) await Promise.all([answers(nginx.url, id), answers(haproxy.url, id)]);
  });
  after(async () => {
    declared?.close();
    await people[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  it('get instances and lose them without a failed request, the slow ones included', async () => {
    const loads = [new FrontLoad(nginx.url, 3), new FrontLoad(haproxy.url, 3)];
    try {
      const [first] = await spawned();
      assert.ok(first);
      const { id } = await add(); // HAProxy has no slot for it in its configuration
      for (const load of loads) await load.reaches(id);
      const slow = [nginx, haproxy].flatMap(({ url }) => Array.from({ length: 3 }, () => ask(`${url}/slow?ms=1500`)));
      for (const load of loads) await load.more(5);
      const startedAt = performance.now();
      await remove(first.port);
      assert.ok(performance.now() - startedAt > 500, 'the removal waited for the slow requests');
      assert.deepEqual(
        (await Promise.all(slow)).map(({ status }) => status),
        slow.map(() => 200),
      );
      for (const load of loads) await load.more(20);
    } finally {
      for (const load of loads) await load.stop();
    }
    assert.deepEqual(
      loads.map(({ failures }) => failures),
      [[], []],
    );
    assert.equal((await stat(nginx.upstreams)).mode & 0o777, 0o640);
  });

  it('nginx has nobody in its file who is dead, and has them back; people are told of both', async () => {
    const { port } = declared.address() as AddressInfo;
    const line = (down: string) => new RegExp(`:${port} weight=1 max_fails=1 fail_timeout=2s${down}; # elsewhere@`);
    await nginxHas(line(''));
    declared.close().closeAllConnections();
    await nginxHas(line(' down'));
    await peopleHear(/elsewhere has no healthy instance/);
    declared.listen(port, '127.0.0.1');
    await nginxHas(line(''));
    await peopleHear(/RESOLVED.*elsewhere/i);
  });

  it('nginx is reloaded once a second at most, and has the last of many changes', async () => {
    const [instance] = await spawned();
    assert.ok(instance);
    const [before, startedAt] = [await reloads(), performance.now()];
    for (let weight = 2; weight <= 51; weight += 1) await setWeight(instance.id, weight);
    await nginxHas(/ weight=51 /);
    const seconds = (performance.now() - startedAt) / 1_000;
    const count = (await reloads()) - before;
    assert.ok(count >= 1 && count <= seconds + 1, `${count} reloads in ${seconds} s`);
  });

  it('nginx keeps its file when it refuses the new one, which it gets as soon as it takes it', async () => {
    const extra = join(nginx.dir, 'extra.conf');
    const earlier = await file();
    const [instance] = await spawned();
    assert.ok(instance);
    await writeFile(extra, 'nonsense;');
    await setWeight(instance.id, 7);
    await nginxSync.printed(/did not take revision \d+, and goes on as before: .*nonsense/);
    assert.equal(await file(), earlier);
    assert.equal((await ask(nginx.url)).status, 200);
    await writeFile(extra, '');
    await nginxHas(/ weight=7 /);
    await setWeight(instance.id, 1);
  });

  it('HAProxy sends nobody to a draining instance, not even those whose cookie names it', async () => {
    const [leaving] = await spawned();
    assert.ok(leaving);
    const { id, port } = leaving;
    const agent = new Agent({ keepAlive: true });
    const cookie = await eventually('a cookie of it', async () => {
      const { headers } = await ask(haproxy.url);
      return headers['x-server'] === id ? headers['set-cookie']?.[0] : undefined;
    });
    const headers = { Cookie: cookie.split(';', 1)[0] ?? '' };
    const slow = ask(`${haproxy.url}/slow?ms=1500`, { headers });
    assert.equal((await ask(haproxy.url, { headers, agent })).headers['x-server'], id);
    const removal = remove(port);
    await eventually(
      'another one answers',
      async () => (await ask(haproxy.url, { headers, agent })).headers['x-server'] !== id,
    );
    assert.equal((await slow).headers['x-server'], id);
    await removal;
    agent.destroy();
  });

  it('HAProxy is set again after its restart', async () => {
    await running.stop();
    running = startHaproxy();
    for (const { id } of await spawned()) await answers(haproxy.url, id);
  });

  it('answer 503 for a service that is paused', async () => {
    const set = async (what: 'pause' | 'resume') => {
      const { status, body } = await ask(`${system.api}/services/web/${what}`, { method: 'POST' });
      assert.equal(status, 200, body);
    };
    await set('pause');
    await nginxHas(/# paused/);
    const [fromNginx, fromHaproxy] = await Promise.all([ask(nginx.url), ask(haproxy.url)]);
    assert.deepEqual([fromNginx.status, fromNginx.headers['retry-after'], fromHaproxy.status], [503, '1', 503]);
    await set('resume');
    for (const { id } of await spawned()) await Promise.all([answers(nginx.url, id), answers(haproxy.url, id)]);
  });

  it('stay valid when nobody is left, and go on with the next instance', async () => {
    for (const { port } of await spawned()) await remove(port);
    await nginxHas(/# nobody is up/);
    await eventually('503', async () => (await ask(nginx.url)).status === 503);
    assert.equal((await ask(haproxy.url)).status, 503);
    const { id } = await add();
    await Promise.all([answers(nginx.url, id), answers(haproxy.url, id)]);
    await nginxHas(new RegExp(`# ${id}\n`));
  });

  it('are told nothing by a command that shows what would be done, or finds nothing to do', async () => {
    const run = async (...args: readonly string[]) => {
      const command = system.heimdall('sync', ...args, '--config', system.configPath);
      return { ...(await command.exited), output: command.output };
    };
    const [once, dry] = await Promise.all([
      run('nginx', ...nginx.syncOptions, '--last-resort', `${system.ports.own[3]}`, '--once', '--json'),
      run('haproxy', '--socket', haproxy.socket, '--backend', 'web=be_web', '--dry-run'),
    ]);
    assert.match(once.output, /^\{"changed":false,"revision":\d+,"warnings":\[\]\}\n$/);
    assert.deepEqual([once.code, dry.code, dry.output], [0, 0, '']);
  });

  it('are kept true by one sync each', async () => {
    const second = system.heimdall('sync', 'nginx', ...nginx.syncOptions, '--config', system.configPath);
    assert.equal((await second.exited).code, 1);
    assert.match(second.output, /another "heimdall sync" keeps .*upstreams\.conf already; stop that one first/);
  });

  it('keep what they have when the sync ends', async () => {
    const earlier = await file();
    assert.deepEqual(await nginxSync.stop(), { code: 0, signal: null });
    assert.equal(await file(), earlier);
    assert.equal((await ask(nginx.url)).status, 200);
  });
});
