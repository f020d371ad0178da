import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasCode, HeimdallError } from '../../internal/model/errors.ts';
import { incarnationOf } from '../../internal/model/incarnation.ts';
import type { RegistryWriter } from '../../internal/registry/registry.ts';
import { isAlive, Site, service, until } from '../support/server-fixture.ts';

const none: ReadonlyMap<string, number> = new Map();

async function rows(site: Site) {
  return (await site.registry.snapshot()).instances;
}

describe('the number of instances', () => {
  it('is taken from the configuration first, and from adds and removes after that', async () => {
    await using site = await Site.open();
    const web = service({ instances: 2 });
    const first = await site.started([web]);
    assert.equal((await first.list({ status: 'running' })).length, 2);
    await first.remove(site.ports.from, { force: false });
    await first.stop({ keep: false });
    assert.deepEqual(await rows(site), []);

    const second = await site.started([web]);
    assert.equal((await second.list({ status: 'running' })).length, 1);
    await second.stop({ keep: false });
    const third = await site.started([service({ instances: 3 })]);
    assert.equal((await third.list({ status: 'running' })).length, 3, 'the changed configuration counts');
  });

  it('follows the configuration live: the newest surplus goes, what is missing comes', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1 })]);
    const [oldest] = await rows(site);
    await manager.apply({ services: [service({ instances: 3 })], ports: site.ports });
    await manager.settled();
    assert.equal((await manager.list({ status: 'running' })).length, 3);
    await manager.apply({ services: [service({ instances: 1 })], ports: site.ports });
    await until('one to be left', async () => (await rows(site)).length === 1);
    assert.equal((await rows(site))[0]?.id, oldest?.id);
    assert.ok((await site.eventTypes()).includes('config.applied'));
  });

  it('starts the instances of a new service and drains those of one that is gone', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1 })]);
    const [old] = await rows(site);
    await manager.apply({ services: [service({ name: 'api', instances: 1 })], ports: site.ports });
    await manager.settled();
    await until('the old one to go', async () => (await rows(site)).every((row) => row.service === 'api'));
    assert.equal(isAlive(old?.process?.pid), false);
    assert.equal((await manager.list({ service: 'api', status: 'running' })).length, 1);
    assert.equal(await site.desired('web'), undefined);
  });

  it('is made up for later when no port is free now, with an alert meanwhile', async () => {
    await using site = await Site.open(1);
    const manager = site.manager([service({ instances: 2, command: ['sleep', '600'] })]);
    await manager.start();
    assert.equal((await rows(site)).length, 1);
    assert.deepEqual(
      site.alerts.raised.map(({ key }) => key),
      ['no-free-port:web'],
    );
    const ports = { from: site.ports.from, to: site.ports.from + 5 };
    await manager.apply({ services: [service({ instances: 2, command: ['sleep', '600'] })], ports });
    assert.equal((await rows(site)).length, 2);
    assert.deepEqual(site.alerts.resolved, ['no-free-port:web']);
  });
});

describe('list, get and status', () => {
  it('show declared servers beside spawned instances, with the health that was measured on this very process', async () => {
    await using site = await Site.open();
    const far = service({
      name: 'far',
      command: undefined,
      servers: ['10.0.0.7:8080', '10.0.0.8:8080', '10.0.0.9:9090'],
    });
    const manager = await site.started([service({ instances: 2 }), far]);
    const [one, two] = await rows(site);
    assert.ok(one && two);
    const record = { health: 'healthy', cause: 'passed', since: 1, proxyId: 'lb-1' } as const;
    const proxy = site.proxy();
    await proxy.report({ appliedRevision: 1, inFlight: none });
    await proxy.saveHealth([
      { ...record, instanceId: one.id, incarnation: incarnationOf(one) },
      { ...record, instanceId: two.id, incarnation: `${two.id}#1` },
      { ...record, instanceId: 'far@10.0.0.9:9090', incarnation: 'far@10.0.0.9:9090#0', health: 'unhealthy' },
    ]);
    const views = await manager.list();
    assert.deepEqual(
      views.map((view) => [view.service, view.port, view.health]),
      [
        ['far', 8080, 'unknown'],
        ['far', 8080, 'unknown'],
        ['far', 9090, 'unhealthy'],
        ['web', one.port, 'healthy'],
        ['web', two.port, 'unknown'],
      ],
    );
    assert.deepEqual(await manager.list({ service: 'web', status: 'error' }), []);
    assert.equal((await manager.instances.get('9090')).id, 'far@10.0.0.9:9090');
    await assert.rejects(manager.instances.get('8080'), (error) => hasCode(error, 'INSTANCE_NOT_FOUND'));
    await assert.rejects(manager.instances.get('1'), (error) => hasCode(error, 'INSTANCE_NOT_FOUND'));
  });

  it('summarise services and load balancers', async () => {
    await using site = await Site.open();
    await site.proxy().report({ appliedRevision: 0, inFlight: none });
    const manager = await site.started([service({ instances: 1 })]);
    const status = await manager.status();
    assert.equal(status.status, 'ok');
    assert.equal(status.version, '1.2.3');
    assert.equal(status.pid, process.pid);
    assert.equal(status.registry.revision, (await site.registry.snapshot()).revision);
    const counts = { desired: 1, starting: 0, running: 1, draining: 0, error: 0, declared: 0, announced: 0 };
    assert.deepEqual(status.services, [{ name: 'web', algorithm: 'round-robin', ...counts }]);
    const [balancer] = status.loadBalancers;
    assert.equal(balancer?.id, 'lb-1');
    assert.equal(balancer?.appliedRevision, 0);
    assert.equal(balancer?.alive, true);
  });
});

describe('the manager', () => {
  it('raises an alert when a load balancer vanishes, and takes it back when it returns', async () => {
    await using site = await Site.open();
    let ahead = 0;
    const clock = () => Date.now() + ahead;
    const proxy = site.proxy('lb-1', clock);
    await proxy.report({ appliedRevision: 0, inFlight: none });
    await site.started([], { clock });
    ahead = 6_000;
    await until('the alert', () => site.alerts.raised.length > 0);
    assert.equal(site.alerts.raised[0]?.key, 'load-balancer-gone:lb-1');
    await proxy.report({ appliedRevision: 0, inFlight: none });
    await until('the recovery', () => site.alerts.resolved.includes('load-balancer-gone:lb-1'));
  });

  it('shows that it lives', async () => {
    await using site = await Site.open();
    const before = (await site.registry.manager())?.heartbeatAt ?? 0;
    await site.started([]);
    await until('a heartbeat', async () => ((await site.registry.manager())?.heartbeatAt ?? 0) > before);
  });

  it('goes on in memory while the registry is away, refuses operations, and catches up', async () => {
    await using site = await Site.open();
    const flaky = breakable(site.registry);
    const manager = await site.started([service({ instances: 2 })], { registry: flaky.registry });
    const [one, two] = await rows(site);
    assert.ok(one?.process && two);
    flaky.broken = true;
    const unavailable = (error: unknown) => hasCode(error, 'REGISTRY_UNAVAILABLE');
    await assert.rejects(manager.add({ count: 1, wait: true }), unavailable);
    await assert.rejects(manager.remove(two.port, { force: true }), unavailable);
    await assert.rejects(manager.list(), unavailable);

    process.kill(one.process.pid, 'SIGKILL');
    const answers = () =>
      fetch(`http://127.0.0.1:${one.port}/`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until('the port to be silent', async () => !(await answers()));
    await until('the port to answer again', answers);
    assert.deepEqual(await rows(site), [one, two], 'the registry knows nothing of it yet');
    flaky.broken = false;
    const after = await until('the registry to know', async () => {
      const row = (await rows(site)).find(({ id }) => id === one.id);
      return row?.restarts === 1 && row.lifecycle === 'ready' ? row : null;
    });
    assert.notEqual(after.process?.pid, one.process.pid);
    assert.equal((await manager.remove(two.port, { force: false })).status, 'stopped');
  });

  it('leaves nothing behind when it is stopped while it starts', async () => {
    await using site = await Site.open();
    const manager = site.manager([service({ instances: 3 })]);
    const starting = manager.start();
    await manager.stop({ keep: false });
    await starting;
    assert.deepEqual(await rows(site), []);
  });

  it('stops every process even when the registry is away', async () => {
    await using site = await Site.open();
    const flaky = breakable(site.registry);
    const manager = await site.started([service({ instances: 2 })], { registry: flaky.registry });
    const pids = (await rows(site)).map((row) => row.process?.pid);
    flaky.broken = true;
    await manager.stop({ keep: false });
    assert.ok(pids.every((pid) => pid && !isAlive(pid)));
  });
});

/** A registry whose reach can be cut off. */
function breakable(registry: RegistryWriter): { readonly registry: RegistryWriter; broken: boolean } {
  const state = { broken: false };
  const proxy = new Proxy(registry, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) =>
        state.broken
          ? Promise.reject(new HeimdallError('REGISTRY_UNAVAILABLE', 'cut off'))
          : Reflect.apply(member, target, args);
    },
  });
  return {
    registry: proxy,
    get broken() {
      return state.broken;
    },
    set broken(value) {
      state.broken = value;
    },
  };
}
