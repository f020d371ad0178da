import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasCode } from '../../internal/model/errors.ts';
import type { ServerManager } from '../../internal/server/server-manager.ts';
import type { ProxyRegistry } from '../../internal/registry/registry.ts';
import { service, Site, until } from '../support/server-fixture.ts';

const WEB_FIELDS = { name: 'web', command: undefined, agents: true, servers: ['192.0.2.1:8080'] };
const WEB = service(WEB_FIELDS);
const CLOSED = service({ name: 'closed', command: undefined, servers: ['192.0.2.1:8081'] });
const APP = { service: 'web', port: 8_080, metadata: { rack: '7' } };

function registration(changes: object = {}, agent = 'host-b') {
  return { agent, node: 'host-b', apps: [{ ...APP, ...changes }] };
}

async function announced(manager: ServerManager, changes: object = {}, agent = 'host-b') {
  const [instance] = await manager.announced.register(registration(changes, agent), '10.0.0.7');
  assert.ok(instance);
  return instance;
}

/** A load balancer that has everything in force, and so many requests in flight on each draining instance. */
async function acknowledge(site: Site, proxy: ProxyRegistry, inFlight = 0): Promise<void> {
  const { revision, instances } = await site.registry.snapshot();
  const draining = instances.filter(({ lifecycle }) => lifecycle === 'draining');
  await proxy.report({ appliedRevision: revision, inFlight: new Map(draining.map(({ id }) => [id, inFlight])) });
}

const viewOf = async (manager: ServerManager, id: string) => (await manager.list()).find((view) => view.id === id);
const beat = (manager: ServerManager, id: string, state: 'up' | 'down' = 'up', cause = 'connect ECONNREFUSED') =>
  manager.announced.heartbeat({ agent: 'host-b', instances: [{ id, state, ...(state === 'up' ? {} : { cause }) }] });

describe('announced instances', () => {
  it('are listed with agent, node and metadata, under the address that their agent calls from, or names', async () => {
    await using site = await Site.open();
    const manager = await site.started([WEB], { host: '10.0.0.5', node: 'host-a' });
    const { id } = await announced(manager);
    const view = await viewOf(manager, id);
    assert.deepEqual(
      [view?.host, view?.node, view?.status, view?.pid, view?.agent],
      ['10.0.0.7', 'host-b', 'running', null, { id: 'host-b', metadata: { rack: '7' } }],
    );
    assert.equal((await announced(manager, { host: '10.0.0.9' })).host, '10.0.0.9');
    const [local] = await manager.announced.register(registration(), '127.0.0.1');
    assert.equal(local?.host, '10.0.0.5'); // as the other hosts know this one
    assert.equal(await site.desired(), 0);
    const [status] = (await manager.status()).services;
    assert.deepEqual([status?.announced, status?.running, status?.desired], [3, 3, 0]);
  });

  it('are refused where there is something else, or nobody wants them', async () => {
    await using site = await Site.open();
    const manager = await site.started([WEB, CLOSED]);
    const before = await site.registry.snapshot();
    for (const [code, changes] of [
      ['SERVICE_NOT_FOUND', { service: 'wep' }],
      ['AGENTS_REFUSED', { service: 'closed' }],
      ['PORT_TAKEN', { host: '192.0.2.1' }],
    ] as const) {
      const apps = [APP, { ...APP, port: 8_082, ...changes, ...(code === 'PORT_TAKEN' ? { port: 8_080 } : {}) }];
      const request = { ...registration(), apps };
      await assert.rejects(manager.announced.register(request, '10.0.0.7'), (error) => hasCode(error, code), code);
    }
    await assert.rejects(announced(manager, { service: 'wep' }), /there is no service wep; configured: web, closed/);
    assert.deepEqual((await site.registry.snapshot()).instances, before.instances);
    await announced(manager);
    await assert.rejects(announced(manager, {}, 'host-c'), (error) => hasCode(error, 'PORT_TAKEN'));
  });

  it('are refused where load balancers would not reach them', async () => {
    await using site = await Site.open();
    const manager = await site.started([WEB], { host: '10.0.0.5' });
    for (const [host, from, words] of [
      ['127.0.0.1', '10.0.0.7', /127\.0\.0\.1 is each load balancer itself/],
      ['localhost', '10.0.0.7', /name an address under which they reach the app/],
      ['localhost', null, /localhost is each load balancer itself/],
      [undefined, null, /came through a proxy: name the address .*--host/],
      [undefined, 'fe80::1%eth0', /came from fe80::1%eth0: name the address/],
    ] as const) {
      const request = registration(host === undefined ? {} : { host });
      await assert.rejects(manager.announced.register(request, from), (error) => {
        return hasCode(error, 'INVALID_REQUEST') && words.test(error.message);
      });
    }
    const [here] = await manager.announced.register(registration({ host: 'localhost' }), '127.0.0.1');
    const [named] = await manager.announced.register(registration({ host: '10.0.0.9' }), null);
    assert.deepEqual([here?.host, named?.host], ['localhost', '10.0.0.9']);
  });

  it('leave the rotation when their agent says that they are down, with the cause, and come back', async () => {
    await using site = await Site.open();
    const manager = await site.started([WEB]);
    const { id } = await announced(manager);
    const { revision } = await site.registry.snapshot();
    await beat(manager, id);
    assert.equal((await site.registry.snapshot()).revision, revision); // a sign of life writes nothing
    await beat(manager, id, 'down');
    await beat(manager, id, 'down');
    const down = await viewOf(manager, id);
    assert.deepEqual([down?.status, down?.lastError], ['error', 'connect ECONNREFUSED']);
    await beat(manager, id);
    const up = await viewOf(manager, id);
    assert.deepEqual([up?.status, up?.lastError], ['running', undefined]);
    const types = (await site.eventTypes()).filter((type) => type.startsWith('instance.'));
    assert.deepEqual(types, ['instance.announced', 'instance.down', 'instance.up']);
  });

  it('are told to their agent when nobody knows them', async () => {
    await using site = await Site.open();
    const manager = await site.started([WEB]);
    const { id } = await announced(manager);
    const answer = await manager.announced.heartbeat({
      agent: 'host-c',
      instances: [
        { id, state: 'down' },
        { id: 'web-1-gone', state: 'up' },
      ],
    });
    assert.deepEqual(answer.unknown, [id, 'web-1-gone']);
    assert.equal((await viewOf(manager, id))?.status, 'running');
  });

  it('leave with an acknowledged drain, which calls for one join', async () => {
    await using site = await Site.open();
    const manager = await site.started([WEB]);
    const proxy = site.proxy();
    await acknowledge(site, proxy);
    const { id } = await announced(manager);
    const leave = () => manager.announced.deregister({ agent: 'host-b', instances: [id, 'gone'] }, { force: false });
    let isGone = false;
    const leaving = Promise.all([leave(), leave()]).finally(() => {
      isGone = true;
    });
    await until('it is draining', async () => (await viewOf(manager, id))?.status === 'draining');
    await acknowledge(site, proxy, 1);
    assert.deepEqual((await beat(manager, id, 'down')).unknown, []); // its agent is heard meanwhile, and nothing cuts it short
    assert.equal((await viewOf(manager, id))?.status, 'draining');
    assert.equal(isGone, false);
    await acknowledge(site, proxy, 0);
    const [{ gone, unknown }] = await leaving;
    assert.deepEqual([gone, unknown], [[id], ['gone']]);
    assert.deepEqual((await site.registry.snapshot()).instances, []);
    const types = (await site.eventTypes()).filter((type) => type.startsWith('instance.'));
    assert.deepEqual(types, ['instance.announced', 'instance.draining', 'instance.removed']);
  });

  it('leave at once when that is asked for, also in the middle of a drain', async () => {
    await using site = await Site.open();
    const manager = await site.started([WEB]);
    const proxy = site.proxy();
    await acknowledge(site, proxy);
    const { id } = await announced(manager);
    const own = { agent: 'host-b', instances: [id] };
    const slow = manager.announced.deregister(own, { force: false });
    await until('it is draining', async () => (await viewOf(manager, id))?.status === 'draining');
    await manager.announced.deregister(own, { force: true });
    assert.deepEqual((await slow).gone, [id]);
  });

  it('stay out when somebody removes them, which their agent hears, until it announces them anew', async () => {
    await using site = await Site.open();
    const manager = await site.started([WEB]);
    const { id, port } = await announced(manager);
    const removed = await manager.remove(port === 8_080 ? id : port, { force: false });
    assert.deepEqual([removed.id, removed.status], [id, 'stopped']);
    assert.equal(await viewOf(manager, id), undefined);
    await assert.rejects(manager.instances.get(id), (error) => hasCode(error, 'INSTANCE_NOT_FOUND'));
    assert.deepEqual((await beat(manager, id)).removed, [id]);
    const again = await announced(manager);
    assert.notEqual(again.id, id);
    assert.equal((await viewOf(manager, again.id))?.status, 'running');
  });

  it('are out in the end when whoever drained them is gone, though their agents tell somebody else', async () => {
    let later = 0;
    const clock = () => Date.now() + later;
    await using site = await Site.open(20, clock);
    const manager = await site.started([service({ ...WEB_FIELDS, drainTimeout: '1s' })], { clock });
    const { announcements } = site.registry;
    const app = { service: 'web', host: '10.0.0.7', port: 8_080, node: 'b', weight: 1, version: null };
    const { id } = await announcements.announce({ ...app, agent: { id: 'b', metadata: {} } }, 8_000);
    await site.registry.update(id, { lifecycle: 'draining' });
    await until('it is out', async () => {
      later += 1_000;
      await announcements.renew('b', [id], 8_000);
      await manager.announced.look();
      return (await site.registry.snapshot()).instances[0]?.lifecycle === 'stopped';
    });
  });

  it('take another weight, and are restarted and read where they run', async () => {
    await using site = await Site.open();
    const manager = await site.started([WEB]);
    const { id } = await announced(manager);
    assert.equal((await manager.instances.weigh(id, 5)).weight, 5);
    assert.equal((await announced(manager)).weight, 5); // its agent has no wish
    assert.equal((await announced(manager, { weight: 2 })).weight, 2);
    assert.equal((await manager.instances.weigh(id, null)).weight, 1);
    for (const refused of [
      manager.instances.restart(id, { wait: true }),
      manager.logs(id, { stream: undefined, lines: 1 }),
    ]) {
      await assert.rejects(
        refused,
        (error) => hasCode(error, 'NOT_SPAWNED') && error.message.includes('where it runs'),
      );
    }
  });

  it('are named by their ids where several hosts have the port', async () => {
    await using site = await Site.open();
    const manager = await site.started([WEB]);
    const one = await announced(manager);
    const two = await announced(manager, { host: '10.0.0.8' });
    for (const refused of [
      manager.instances.get('8080'),
      manager.instances.weigh('8080', 2),
      manager.remove(8_080, { force: true }),
    ])
      await assert.rejects(
        refused,
        (error) => error instanceof Error && error.message.includes(`${one.id}, ${two.id}`),
      );
    assert.equal((await manager.remove(two.id, { force: true })).host, '10.0.0.8');
    assert.equal((await manager.instances.get('8080')).id, one.id);
  });

  it('have their time to be heard once more when the manager stood still, or its clock was set', async () => {
    let now = Date.now();
    await using site = await Site.open(20, () => now);
    const { announcements } = site.registry;
    const app = { service: 'web', host: '10.0.0.7', node: 'b', weight: 1, version: null };
    const announce = (port: number, id: string) =>
      announcements.announce({ ...app, port, agent: { id, metadata: {} } }, 8_000);
    const [early, late] = [await announce(8_080, 'b'), await announce(8_081, 'c')];
    for (const jump of [60_000, -3_600_000]) {
      now += jump;
      await announcements.renew('b', [early.id], 8_000);
      assert.deepEqual(await announcements.expire(), [], `${jump} ms`); // c could not be heard either
    }
    for (let seconds = 0; seconds < 9; seconds += 1) {
      now += 1_000;
      await announcements.renew('b', [early.id], 8_000);
      const expired = await announcements.expire();
      assert.deepEqual(
        expired.map(({ id }) => id),
        seconds === 7 ? [late.id] : [],
        `after ${seconds + 1} s`,
      );
    }
  });

  it('expire when their agent falls silent, with one alert for all of them, which ends when it is back', async () => {
    let later = 0;
    const clock = () => Date.now() + later;
    await using site = await Site.open(20, clock);
    const manager = await site.started([WEB], { clock });
    const ids: string[] = [];
    for (const port of [8_080, 8_081, 8_082]) ids.push((await announced(manager, { port })).id);
    const { id } = await announced(manager, { host: '10.0.0.8' }, 'host-c');
    for (let seconds = 0; seconds < 9; seconds += 3) {
      await manager.announced.heartbeat({ agent: 'host-c', instances: [{ id, state: 'up' }] });
      later += 3_000;
      await manager.announced.look();
    }
    await until('they are gone', async () => (await site.registry.snapshot()).instances.length === 1);
    const gone = await until('it is told', () => site.alerts.raised[0]);
    assert.deepEqual([gone.key, gone.title], ['agent-gone:host-b', 'agent host-b is gone']);
    for (const each of ids) assert.match(gone.cause ?? '', new RegExp(each));
    assert.equal(site.alerts.raised.length, 1);
    const [first = ''] = ids;
    assert.deepEqual((await beat(manager, first)).unknown, [first]);
    await announced(manager);
    assert.deepEqual(site.alerts.resolved, ['agent-gone:host-b']);
    assert.equal((await site.eventTypes()).filter((type) => type === 'instance.expired').length, 3);
  });
});
