import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { RegistryLink } from '../../internal/proxy/registry-link.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { eventually, RawBackend, rawClient, requestText } from '../support/proxy-raw.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const THREADS = 4;
const KEEP = requestText('GET /', ['Connection: keep-alive']);
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Four threads whose pools follow a SQLite registry, and the manager's end of that. */
async function open() {
  const dir = await mkdtemp(join(tmpdir(), 'heimdall-threads-'));
  const path = join(dir, 'registry.db');
  const manager = await openManagerRegistry({ path });
  const backend = await RawBackend.answering(OK);
  const site = await ThreadedSite.open(THREADS, []);
  const link = new RegistryLink({
    registry: openProxyRegistry({ path, proxyId: 'lb', pid: process.pid }),
    fleet: site.fleet,
    alerts: { raise() {}, resolve() {} },
    log: createLogger({ name: 'test', level: 'silent' }),
    now: Date.now,
    onLeading() {},
  });
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

    const draft = {
      service: 'web',
      host: '127.0.0.1',
      weight: 1,
      version: null,
      variant: null,
      deployment: null,
      env: {},
    };
    const [added] = await manager.reserve([draft], [backend.port], 1);
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
});
