import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { HeimdallError } from '../../internal/model/errors.ts';
import { groupsOfInstance } from '../../internal/server/process-table.ts';
import { APP, isAlive, Site, service, until } from '../support/server-fixture.ts';

const onLinux = process.platform === 'linux';
const asRoot = onLinux && process.getuid?.() === 0;
const AnswerSchema = z.object({
  pid: z.number(),
  env: z.record(z.string(), z.string()),
  args: z.array(z.string()),
  cwd: z.string(),
});

async function ask(port: number) {
  return AnswerSchema.parse(await (await fetch(`http://127.0.0.1:${port}/`)).json());
}

async function failure(promise: Promise<unknown>): Promise<HeimdallError> {
  const error = await promise.then(
    () => assert.fail('expected a failure'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HeimdallError, String(error));
  return error;
}

/** What must hold after an add that failed: as if it had not been tried. */
async function assertNothingRemains(site: Site, error: HeimdallError): Promise<void> {
  assert.deepEqual((await site.registry.snapshot()).instances, []);
  assert.equal((await site.desired()) ?? 0, 0);
  assert.deepEqual(await groupsOfInstance(String(error.context['instanceId']), null), []);
}

async function occupy(port: number) {
  const stranger = createServer().listen(port, '127.0.0.1');
  await once(stranger, 'listening');
  return { [Symbol.dispose]: () => void stranger.close() };
}

describe('adding instances', () => {
  it('starts the command on the lowest port and resolves once it answers', async () => {
    await using site = await Site.open();
    const manager = await site.started([service()]);
    const [instance] = await manager.add({ count: 1, wait: true, weight: 3, version: 'v7' });
    assert.ok(instance);
    assert.equal(instance.port, site.ports.from);
    assert.equal(instance.lifecycle, 'ready');

    const view = await manager.instances.get(`${instance.port}`);
    assert.equal(view.status, 'running');
    assert.equal(view.weight, 3);
    assert.equal(view.version, 'v7');
    assert.equal(view.pid, (await ask(instance.port)).pid);
    assert.equal(await site.desired(), 1);
    const types = await until('the events', async () => {
      const seen = await site.eventTypes();
      return seen.includes('instance.ready') ? seen : null;
    });
    assert.deepEqual(types.slice(-2), ['instance.added', 'instance.ready']);
  });

  it('gives the command its port and a clean environment', async () => {
    await using site = await Site.open();
    const web = service({
      command: ['node', APP, '--port={port}'],
      env: { ADDRESS: 'x:{port}', COLOUR: 'red' },
      cwd: site.dir,
    });
    const manager = await site.started([web], { baseEnv: { ...process.env, SECRET_OF_THE_MANAGER: '1', LANG: 'C' } });
    const [instance] = await manager.add({ count: 1, wait: true, version: 'v1', env: { COLOUR: 'blue' } });
    assert.ok(instance);
    const { env, args, cwd } = await ask(instance.port);
    assert.deepEqual(args, [`--port=${instance.port}`]);
    assert.equal(cwd, await realpath(site.dir));
    assert.equal(env['PORT'], String(instance.port));
    assert.equal(env['ADDRESS'], `x:${instance.port}`);
    assert.equal(env['COLOUR'], 'blue');
    assert.equal(env['VERSION'], 'v1');
    assert.equal(env['HEIMDALL_INSTANCE'], instance.id);
    assert.equal(env['HEIMDALL_SERVICE'], 'web');
    assert.equal(env['HEIMDALL_INSTANCE_TOKEN'], instance.process?.token);
    assert.ok(env['PATH']?.startsWith(dirname(process.execPath)));
    assert.equal(env['LANG'], 'C');
    assert.equal(env['SECRET_OF_THE_MANAGER'], undefined);
  });

  it('keeps the output in files per stream', async () => {
    await using site = await Site.open();
    const manager = await site.started([service()]);
    const [instance] = await manager.add({ count: 1, wait: true });
    const names = await readdir(join(site.dir, 'logs'));
    assert.deepEqual(names.sort(), [`${instance?.id}.err.log`, `${instance?.id}.out.log`]);
    assert.match(await readFile(join(site.dir, 'logs', names[1] ?? ''), 'utf8'), /listening on/);
  });

  it('answers at once without wait, and brings the instance up in the background', async () => {
    await using site = await Site.open();
    const manager = await site.started([service()]);
    const [instance] = await manager.add({ count: 1, wait: false });
    assert.equal(instance?.lifecycle, 'starting');
    await manager.settled();
    assert.equal((await manager.instances.get(`${site.ports.from}`)).status, 'running');
  });

  it('gives fifty concurrent adds fifty distinct ports', async () => {
    await using site = await Site.open(50);
    const manager = await site.started([service({ command: ['sleep', '600'] })]);
    const added = await Promise.all(Array.from({ length: 50 }, () => manager.add({ count: 1, wait: false })));
    assert.equal(new Set(added.flat().map(({ port }) => port)).size, 50);
    assert.equal(await site.desired(), 50);
  });

  it('refuses an unknown service, one without a command, and a port for several', async () => {
    await using site = await Site.open();
    const declared = service({ name: 'far', command: undefined, servers: ['10.0.0.7:80'] });
    const manager = await site.started([declared, service()]);
    assert.equal((await failure(manager.add({ service: 'nope', count: 1, wait: true }))).code, 'SERVICE_NOT_FOUND');
    assert.equal((await failure(manager.add({ service: 'far', count: 1, wait: true }))).code, 'NOT_SPAWNED');
    assert.equal((await failure(manager.add({ count: 2, port: site.ports.from, wait: true }))).code, 'INVALID_REQUEST');
  });

  // A caller of the API sets NODE_OPTIONS=--require=/tmp/evil.js (or PATH, LD_PRELOAD):
  // the declared command would run the caller's code.
  it('refuses variables that choose which code is run', async () => {
    await using site = await Site.open();
    const manager = await site.started([service()]);
    for (const name of [
      'NODE_OPTIONS',
      'PATH',
      'LD_PRELOAD',
      'DYLD_INSERT_LIBRARIES',
      'PORT',
      'HEIMDALL_INSTANCE',
      'BASH_ENV',
    ]) {
      const error = await failure(manager.add({ count: 1, wait: true, env: { [name]: 'x' } }));
      assert.equal(error.code, 'INVALID_REQUEST');
      assert.match(error.message, new RegExp(name));
    }
  });
});

describe('an add that fails', () => {
  it('names a command that does not exist, and where it was looked for', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ command: ['no-such-program', '--x'], cwd: site.dir })]);
    const error = await failure(manager.add({ count: 1, wait: true }));
    assert.equal(error.code, 'COMMAND_FAILED');
    assert.match(error.message, /"no-such-program --x" in .*: no such program/);
    assert.deepEqual(error.context, { command: ['no-such-program', '--x'], cwd: site.dir });
    await assertNothingRemains(site, error);
  });

  it('names a working folder that does not exist, and a file that is not executable', async () => {
    await using site = await Site.open();
    const nowhere = service({ name: 'nowhere', cwd: join(site.dir, 'nowhere') });
    const plain = service({ name: 'plain', command: [APP] });
    const manager = await site.started([nowhere, plain]);
    assert.match(
      (await failure(manager.add({ service: 'nowhere', count: 1, wait: true }))).message,
      /that folder does not exist/,
    );
    const error = await failure(manager.add({ service: 'plain', count: 1, wait: true }));
    assert.match(error.message, /not executable/);
    await assertNothingRemains(site, error);
  });

  it('tells how the process ended and shows the last lines of this run only', async () => {
    await using site = await Site.open();
    const manager = await site.started([service()]);
    await failure(manager.add({ count: 1, wait: true, env: { FAIL: 'first run' } }));
    const error = await failure(manager.add({ count: 1, wait: true, env: { FAIL: 'cannot find the database' } }));
    assert.equal(error.code, 'INSTANCE_EXITED');
    assert.equal(error.context['port'], site.ports.from, 'the port was released');
    assert.equal(error.context['exitCode'], 3);
    assert.deepEqual(error.context['logTail'], ['starting up', 'cannot find the database']);
    assert.match(error.message, /exited with code 3 after .*, before it was ready: cannot find the database/);
    await assertNothingRemains(site, error);
  });

  it('runs as the user of the service, with their folder as HOME', { skip: !asRoot }, async () => {
    await using site = await Site.open();
    const command = ['/bin/sh', '-c', 'echo "$(id -u) $(id -g) $(id -G) $HOME"; exit 3'];
    const nobody = await site.started([service({ command, cwd: '/', runAs: { user: 'nobody' } })]);
    const error = await failure(nobody.add({ count: 1, wait: true }));
    const passwd = (await readFile('/etc/passwd', 'utf8')).split('\n');
    const [, , uid, gid, , home] = passwd.find((entry) => entry.startsWith('nobody:'))?.split(':') ?? [];
    assert.deepEqual(error.context['logTail'], [`${uid} ${gid} ${gid} ${home}`]);
  });

  it('runs with the group of the service', { skip: !asRoot }, async () => {
    await using site = await Site.open();
    const command = ['/bin/sh', '-c', 'echo "$(id -u) $(id -g)"; exit 3'];
    const other = await site.started([service({ command, cwd: '/', runAs: { user: 65_534, group: 'daemon' } })]);
    const error = await failure(other.add({ count: 1, wait: true }));
    assert.deepEqual(error.context['logTail'], ['65534 1']);
  });

  it('says that there is no such user', { skip: !onLinux }, async () => {
    await using site = await Site.open();
    const strange = await site.started([service({ runAs: { user: 'no-such-user' } })]);
    const error = await failure(strange.add({ count: 1, wait: true }));
    assert.deepEqual([error.code, error.message], ['COMMAND_FAILED', 'runAs: there is no user no-such-user']);
  });

  it('gives up at the deadline and leaves nothing running', async () => {
    await using site = await Site.open();
    const web = service({
      env: { DEAF: '1', STUBBORN: '1', CHILD: '1' },
      readiness: { interval: '20ms', deadline: '3s' },
      stopTimeout: '50ms',
    });
    const manager = await site.started([web]);
    const error = await failure(manager.add({ count: 1, wait: true }));
    assert.equal(error.code, 'INSTANCE_NOT_READY');
    assert.match(error.message, /not ready within 3 s: connect ECONNREFUSED/);
    assert.deepEqual(error.context['logTail'], ['not listening']);
    await assertNothingRemains(site, error);
  });

  it('tells where the process listens instead', { skip: !onLinux }, async () => {
    await using site = await Site.open();
    const web = service({ env: { ELSEWHERE: '1' }, readiness: { interval: '20ms', deadline: '4s' } });
    const manager = await site.started([web]);
    const error = await failure(manager.add({ count: 1, wait: true }));
    assert.equal(error.code, 'INSTANCE_NOT_READY');
    assert.match(error.message, new RegExp(`it listens on \\d+ instead of ${site.ports.from}`));
  });

  it('takes all instances of one call away when one of them fails', async () => {
    await using site = await Site.open();
    const manager = await site.started([service()]);
    const env = { FAIL: 'not on this port', FAIL_ON: String(site.ports.from + 2) };
    const error = await failure(manager.add({ count: 3, wait: true, env }));
    assert.equal(error.code, 'INSTANCE_EXITED');
    assert.match(error.message, /none of 3 instances was added/);
    await assertNothingRemains(site, error);
  });

  it('undoes an add that is under way when the manager stops', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ env: { DEAF: '1' } })]);
    const adding = failure(manager.add({ count: 1, wait: true }));
    const pid = await until('a process', async () => (await site.registry.snapshot()).instances[0]?.process?.pid);
    await manager.stop({ keep: true });
    assert.equal((await adding).code, 'SHUTTING_DOWN');
    assert.equal(isAlive(pid), false);
    assert.equal(await site.desired(), 0);
    assert.equal((await failure(manager.add({ count: 1, wait: true }))).code, 'SHUTTING_DOWN');
  });
});

describe('ports', () => {
  it('are skipped while another program has them bound', async () => {
    await using site = await Site.open();
    using _ = await occupy(site.ports.from);
    const manager = await site.started([service()]);
    const [instance] = await manager.add({ count: 1, wait: true });
    assert.equal(instance?.port, site.ports.from + 1);
    assert.equal(await site.desired(), 1);
    assert.equal((await site.registry.snapshot()).instances.length, 1);
  });

  it('are changed when the process finds its own in use after all', async () => {
    await using site = await Site.open();
    const manager = await site.started([service()]);
    const env = { FAIL: 'Error: listen EADDRINUSE: address already in use', FAIL_ON: String(site.ports.from) };
    const [instance] = await manager.add({ count: 1, wait: true, env });
    assert.equal(instance?.port, site.ports.from + 1);
    assert.equal((await ask(site.ports.from + 1)).env['PORT'], String(site.ports.from + 1));
  });

  it('are changed three times at most', async () => {
    await using site = await Site.open();
    const manager = await site.started([service()]);
    const error = await failure(manager.add({ count: 1, wait: true, env: { FAIL: 'EADDRINUSE' } }));
    assert.equal(error.code, 'INSTANCE_EXITED');
    assert.equal(error.context['port'], site.ports.from + 3);
    await assertNothingRemains(site, error);
  });

  it('must be listened on by the instance itself, not by a stranger', { skip: !onLinux }, async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ env: { OUTSIDER: '1' } })]);
    const error = await failure(manager.add({ count: 1, wait: true, port: site.ports.from }));
    assert.equal(error.code, 'PORT_TAKEN');
    assert.match(error.message, /node.*\(pid \d+\) listens on port \d+ instead of it/i);
  });

  it('can be chosen inside of the range when they are free', async () => {
    await using site = await Site.open();
    const { from, to } = site.ports;
    using _ = await occupy(from + 5);
    const manager = await site.started([service()]);
    const [instance] = await manager.add({ count: 1, wait: true, port: from + 4 });
    assert.equal(instance?.port, from + 4);

    const byInstance = await failure(manager.add({ count: 1, wait: true, port: from + 4 }));
    assert.equal(byInstance.code, 'PORT_TAKEN');
    assert.match(byInstance.message, new RegExp(instance.id));
    const byStranger = await failure(manager.add({ count: 1, wait: true, port: from + 5 }));
    assert.equal(byStranger.code, 'PORT_TAKEN');
    assert.match(byStranger.message, /another program/);
    assert.equal((await failure(manager.add({ count: 1, wait: true, port: to + 1 }))).code, 'INVALID_REQUEST');
    assert.equal(await site.desired(), 1);
  });

  it('rest for 30 s after an instance has used them', async () => {
    await using site = await Site.open(1);
    let now = Date.now();
    const manager = await site.started([service()], { clock: () => now });
    await manager.add({ count: 1, wait: true });
    await manager.remove(site.ports.from, { force: false });
    const error = await failure(manager.add({ count: 1, wait: true }));
    assert.equal(error.code, 'NO_FREE_PORT');
    assert.match(error.message, /the next one is free in 30 s/);
    assert.equal((await failure(manager.add({ count: 1, wait: true, port: site.ports.from }))).code, 'PORT_TAKEN');
    now += 30_001;
    const [instance] = await manager.add({ count: 1, wait: true });
    assert.equal(instance?.port, site.ports.from);
  });

  it('suffice for all of a call or for none', async () => {
    await using site = await Site.open(2);
    const manager = await site.started([service({ command: ['sleep', '600'] })]);
    const error = await failure(manager.add({ count: 3, wait: false }));
    assert.equal(error.code, 'NO_FREE_PORT');
    assert.deepEqual((await site.registry.snapshot()).instances, []);
    assert.equal(await site.desired(), 0);
  });
});
