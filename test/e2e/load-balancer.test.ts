import assert from 'node:assert/strict';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { describeEngines } from '../support/engines.ts';
import { ask } from '../support/e2e-http.ts';
import { Load } from '../support/e2e-load.ts';
import type { StartedProcess } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

/** How it ends: one way each, because what it remembers does not depend on the engine. */
const END = { wire: 'SIGKILL', middleware: 'SIGTERM' } as const;

describeEngines('the load balancer, with sticky clients', (engine) => {
  let system: System;
  let loadBalancer: StartedProcess;
  before(async () => {
    system = await System.create(() => ({ services: [sampleService({ algorithm: 'sticky-round-robin' })] }));
    ({ loadBalancer } = await system.startBoth(2));
  });
  after(() => system[Symbol.asyncDispose]());

  it(`finds every sticky client's instance again after a restart with ${END[engine]}`, async () => {
    const clients = await Promise.all([1, 2, 3, 4].map(() => system.get()));
    const sessions = clients.map(({ headers }) => ({
      server: String(headers['x-server']),
      cookie: headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '',
    }));
    assert.equal(new Set(sessions.map(({ server }) => server)).size, 2);

    loadBalancer.kill(END[engine]);
    await loadBalancer.exited;
    loadBalancer = system.start('load-balancer');
    await system.inRotation(2);

    for (const { server, cookie } of sessions) {
      const again = await Promise.all([1, 2, 3].map(() => system.answering({ headers: { Cookie: cookie } })));
      assert.deepEqual(again, [server, server, server]);
    }
  });
});

describe('the load balancer', () => {
  let system: System;
  let manager: StartedProcess;
  let loadBalancer: StartedProcess;
  before(async () => {
    system = await System.create();
    ({ manager, loadBalancer } = await system.startBoth(2));
  });
  after(async () => {
    if (!manager.running) await startManager(); // it alone can end the instances
    await system[Symbol.asyncDispose]();
  });

  async function startManager(): Promise<void> {
    manager = system.start('server-manager');
    await manager.isReady();
  }

  async function killManager(): Promise<void> {
    manager.kill('SIGKILL');
    await manager.exited;
  }

  async function registryAvailable(available: boolean): Promise<void> {
    const says = `the status says that the registry is ${available ? 'available' : 'unavailable'}`;
    await eventually(says, async () => (await system.proxyStatus()).registry.available === available);
  }

  /** Every instance answers, and nothing else does; one that was added a moment ago gets few requests at first. */
  async function serves(): Promise<void> {
    const all = new Set((await system.upstreams()).map(({ id }) => id));
    const answered = new Set<string>();
    await eventually('every instance answers', async () => {
      const servers = await Promise.all(Array.from({ length: 20 }, () => system.answering()));
      for (const server of servers) answered.add(server);
      return answered.size >= all.size;
    });
    assert.deepEqual(answered, all);
  }

  /** A successor would know no instance. */
  async function isNotReplaced(): Promise<void> {
    const { status, body } = await ask(`${system.admin}/reload`, { method: 'POST' });
    assert.equal(status, 502);
    assert.match(body, /registry cannot be read/);
  }

  it('serves on without a manager', async () => {
    await killManager();
    const load = new Load(system.proxy, 4);
    await load.more(100);
    await load.stop();
    assert.deepEqual(load.failures, []);
    await serves();
    await startManager();
  });

  it('serves on while the registry is moved away, says so, and hears of changes when it is back', async () => {
    await rename(system.registryPath, `${system.registryPath}.away`);
    await registryAvailable(false);
    await isNotReplaced();
    await serves();
    await rename(`${system.registryPath}.away`, system.registryPath);
    await registryAvailable(true);
    assert.equal((await system.add()).status, 201);
    await system.inRotation(3);
  });

  it('serves on while the registry is garbage, says so, and hears of changes when it is mended', async () => {
    await killManager(); // so that the copy is whole
    const copy = new Database(system.registryPath);
    copy.pragma('wal_checkpoint(TRUNCATE)');
    copy.close();
    await copyFile(system.registryPath, `${system.registryPath}.copy`);
    await writeFile(system.registryPath, 'this is no registry\n'.repeat(10_000));
    await registryAvailable(false);
    await isNotReplaced();
    await serves();
    await rename(`${system.registryPath}.copy`, system.registryPath);
    await registryAvailable(true);
    await startManager();
    assert.equal((await system.remove((await system.list())[0]?.port ?? 0)).status, 200);
    await system.inRotation(2);
  });

  it('serves on while another connection holds the write lock, and its reports get through after that', async () => {
    const other = new Database(system.registryPath);
    other.exec('BEGIN EXCLUSIVE');
    await serves();
    other.exec('ROLLBACK');
    other.close();
    const [first] = await system.list();
    assert.equal((await system.remove(first?.port ?? 0)).status, 200);
    await system.inRotation(1);
  });

  it('starts while the registry is locked, says so, and serves when the lock is gone', async () => {
    await killManager();
    await loadBalancer.stop();
    const other = new Database(system.registryPath);
    other.pragma('journal_mode = DELETE'); // in WAL mode readers would be let in
    other.exec('BEGIN EXCLUSIVE');
    loadBalancer = system.start('load-balancer');
    await registryAvailable(false);
    assert.equal((await system.get()).status, 503);
    other.exec('ROLLBACK');
    other.close();
    await registryAvailable(true);
    await system.inRotation(1);
    await serves();
  });
});

describeEngines('the load balancer alone, with servers that somebody else runs', () => {
  let system: System;
  let loadBalancer: StartedProcess;
  let first: StartedProcess;
  let second: StartedProcess;
  before(async () => {
    system = await System.create(({ own: [a, b] }) => ({
      services: [
        {
          name: 'web',
          servers: [`127.0.0.1:${a}`, { address: `127.0.0.1:${b}`, weight: 2 }],
          healthCheck: { rescue: 'silent' },
        },
      ],
    }));
    const [a = 0, b = 0] = system.ports.own;
    first = system.backend(a);
    second = system.backend(b);
    await second.printed('listens on');
    loadBalancer = system.start('load-balancer');
    await system.inRotation(2);
  });
  after(() => system[Symbol.asyncDispose]());

  it('fails over when one is killed, and uses it again when it is back', async () => {
    const [a = 0, b = 0] = system.ports.own;
    // Counted when all is answered: what is still under way may be with either of the two.
    const counted = new Load(system.proxy, 9);
    await counted.more(200);
    await counted.stop();
    assert.deepEqual(counted.failures, []);
    const [ofFirst, ofSecond] = [counted.from(`backend-${a}`), counted.from(`backend-${b}`)];
    assert.ok(Math.abs(ofSecond - 2 * ofFirst) <= 4, `${ofFirst} and ${ofSecond} do not fit the weights 1 and 2`);

    const load = new Load(system.proxy, 9);
    try {
      first.kill('SIGKILL');
      await eventually('its failure is noticed', async () =>
        (await system.upstreams()).some(({ health }) => health === 'unhealthy'),
      );
      await load.more(100);
      first = system.backend(a);
      await load.reaches(`backend-${a}`);
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
  });

  it('repeats what waits for one that hangs when its checks say so', async () => {
    const [a = 0, b = 0] = system.ports.own;
    first.kill('SIGSTOP');
    try {
      const answers: Promise<string>[] = [];
      await eventually('a request waits for it', async () => {
        answers.push(system.answering());
        return (await system.upstreams()).some(({ url, inFlight }) => url.endsWith(`:${a}`) && inFlight > 0);
      });
      // Without it there would be a 504, after 30 s.
      assert.deepEqual(new Set(await Promise.all(answers)), new Set([`backend-${b}`]));
    } finally {
      first.kill('SIGCONT');
    }
  });

  it('answers 503 when none is left, and lives on', async () => {
    const [a = 0] = system.ports.own;
    for (const backend of [first, second]) {
      backend.kill('SIGKILL');
      await backend.exited;
    }
    await eventually('both are known to be down', async () =>
      (await system.upstreams()).every(({ health }) => health === 'unhealthy'),
    );
    assert.match(await system.answering(), /^503 /);
    system.backend(a);
    await eventually('it is back', async () => (await system.answering()) === `backend-${a}`);
    assert.deepEqual(await loadBalancer.stop(), { code: 0, signal: null });
  });
});
