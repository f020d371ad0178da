import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { RegistryLink } from '../../internal/proxy/registry-link.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { DRAFT } from '../support/instance-draft.ts';
import { eventually, RawBackend, rawClient, requestText } from '../support/proxy-raw.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const THREADS = 4;
const KEEP = requestText('GET /', ['Connection: keep-alive']);
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Four threads whose pools follow a SQLite registry, and the manager's end of that. */
async function open(service: Readonly<Record<string, unknown>> = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'heimdall-threads-'));
  const path = join(dir, 'registry.db');
  const manager = await openManagerRegistry({ path });
  const backend = await RawBackend.answering(OK);
  const site = await ThreadedSite.open(THREADS, [], service);
  const link = new RegistryLink({
    registry: openProxyRegistry({ path, proxyId: 'lb', pid: process.pid }),
    fleet: site.fleet,
    alerts: { raise() {}, resolve() {} },
    log: createLogger({ name: 'test', level: 'silent' }),
    now: Date.now,
    onLeading() {},
  });
  site.onHeld = () => link.reportSoon();
  await link.start();
  const dispose = async () => {
    await site[Symbol.asyncDispose]();
    await link.stop();
    await manager.close();
    await backend.stop();
    await rm(dir, { recursive: true });
  };
  return { site, manager, backend, [Symbol.asyncDispose]: dispose };
}

/** Asks on one connection, each time after the answer to the time before, whatever that is, until it is enough. */
async function ask(port: number, enough: () => boolean): Promise<void> {
  const client = await rawClient(port);
  for (let asked = 1; !enough(); asked += 1) {
    client.write(KEEP);
    await eventually('the next answer', () => client.received.split('HTTP/1.1 ').length > asked);
  }
  client.close();
}

describe('four threads behind a registry', () => {
  it('all follow what the manager commits, and a drain is acknowledged only when none picks any more', async () => {
    await using system = await open();
    const { site, manager, backend } = system;
    const allKnow = () => site.slots.isPast(site.slots.generation - 1);
    const known = (id: string) => site.fleet.pool('web')?.get(id);

    const [added] = await manager.reserve([DRAFT], [backend.port], 1);
    const { id } = added ?? assert.fail();
    await manager.update(id, { lifecycle: 'ready', startedAt: 1 });
    const committedAt = performance.now();
    await eventually('all threads know it', () => known(id)?.lifecycle === 'ready' && allKnow());
    const addedMs = performance.now() - committedAt;
    const upstream = known(id) ?? assert.fail();
    const { incarnation } = upstream;
    site.fleet.healthChanged({ id, incarnation, from: 'unknown', to: 'healthy', cause: '', at: 0 });

    let enough = false;
    const clients = Array.from({ length: 24 }, () => ask(site.port, () => enough));
    await eventually('it is busy', () => upstream.picks > 200);
    const { revision } = await manager.update(id, { lifecycle: 'draining' });
    const drainedAt = performance.now();
    await eventually('the drain is acknowledged', async () => {
      const [row] = await manager.proxies();
      return (row?.appliedRevision ?? -1) >= revision;
    });
    const { picks } = upstream;
    const drainedMs = performance.now() - drainedAt;
    assert.equal(upstream.lifecycle, 'draining');
    await eventually('what ran has ended', () => upstream.inFlight === 0);
    for (let request = 0; request < 16; request += 1) {
      assert.match(await (await rawClient(site.port, requestText('GET /'))).rest(), /^HTTP\/1\.1 503 /);
    }
    enough = true;
    await Promise.all(clients);
    assert.equal(upstream.picks, picks);
    console.log(
      `# in force in all threads: added ${addedMs.toFixed()} ms, drained ${drainedMs.toFixed()} ms after commit`,
    );
  });

  it('pause as one when the manager commits it, acknowledge that, and go on in the same way', async () => {
    await using system = await open();
    const { site, manager, backend } = system;
    const { id } = (await manager.reserve([DRAFT], [backend.port], 1))[0] ?? assert.fail();
    await manager.update(id, { lifecycle: 'ready', startedAt: 1 });
    const known = () => site.fleet.pool('web')?.get(id);
    await eventually('it is known', () => known()?.lifecycle === 'ready');
    const upstream = known() ?? assert.fail();
    const { incarnation } = upstream;
    site.fleet.healthChanged({ id, incarnation, from: 'unknown', to: 'healthy', cause: '', at: 0 });
    let enough = false;
    const clients = Array.from({ length: 24 }, () => ask(site.port, () => enough));
    await eventually('it is busy', () => upstream.picks > 200);

    const revision = await manager.changeService('web', { pausedSince: Date.now() });
    await eventually('the pause is acknowledged', async () => {
      const [row] = await manager.proxies();
      return (row?.appliedRevision ?? -1) >= revision;
    });
    const { picks } = upstream;
    await eventually('all wait, and the manager hears of it', async () => {
      const [told] = await manager.traffic();
      return told?.services[0]?.waiting === 24;
    });
    assert.equal(upstream.picks, picks, 'picked after the acknowledgement');

    await manager.changeService('web', { pausedSince: null });
    await eventually('it is busy again', () => upstream.picks > picks + 200);
    enough = true;
    await Promise.all(clients);
  });

  it('tell the manager of the first request to a service without instances at once, and let it go', async () => {
    await using system = await open({ scaleFromZero: true });
    const { site, manager, backend } = system;
    const client = await rawClient(site.port, requestText('GET /'));
    const askedAt = performance.now();
    await eventually('the manager hears of it', async () => {
      return (await manager.traffic())[0]?.services[0]?.waiting === 1;
    });
    const heardMs = performance.now() - askedAt;
    const { id } = (await manager.reserve([DRAFT], [backend.port], 1))[0] ?? assert.fail();
    await manager.update(id, { lifecycle: 'ready', startedAt: 1 });
    await eventually('it is known', () => site.fleet.pool('web')?.get(id)?.lifecycle === 'ready');
    const { incarnation } = site.fleet.pool('web')?.get(id) ?? assert.fail();
    site.fleet.healthChanged({ id, incarnation, from: 'unknown', to: 'healthy', cause: '', at: 0 });
    assert.match(await client.rest(), /^HTTP\/1\.1 200 /);
    console.log(`# the manager heard of it after ${heardMs.toFixed()} ms`);
  });

  it('follow what was set by hand, and the configuration again when it is taken back', async () => {
    await using system = await open();
    const { site, manager } = system;
    const algorithm = () => site.fleet.pool('web')?.balancer.algorithm;
    await manager.changeService('web', { overrides: { algorithm: { value: 'least-time', over: 'round-robin' } } });
    await eventually('it is in force', () => algorithm() === 'least-time');
    await manager.changeService('web', { overrides: {} });
    await eventually('it is taken back', () => algorithm() === 'round-robin');
    assert.ok(site.slots.generation >= 3, 'the threads were told');
  });
});
