import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fleet } from '../../internal/proxy/fleet.ts';
import { describeEngines } from '../support/engines.ts';
import { eventually, parseMessage, RawBackend, rawClient, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const RATHER_NOBODY = { healthCheck: { neverEmpty: false } };
const UPGRADE = requestText('GET /', ['Connection: upgrade', 'Upgrade: websocket']);

/** A check has failed often enough. */
function failed(fleet: Fleet): void {
  for (const { id, incarnation, health } of [...fleet.pools()].flatMap((pool) => [...pool.upstreams()])) {
    fleet.healthChanged({ id, incarnation, from: health, to: 'unhealthy', cause: 'status 500', at: 0 });
  }
}

describeEngines('a lone instance that fails its checks', () => {
  it('still gets the requests', async () => {
    const backend = await RawBackend.answering(OK);
    await using site = await ProxySite.open([backend.port]);
    site.own(backend);
    failed(site.fleet);
    assert.equal(await site.statusOf(requestText('GET /')), 200);
    assert.equal(await site.statusOf(requestText('POST /', ['Content-Length: 2'], 'hi')), 200);
  });

  it('gets none when the service would rather be empty: 503 at once, until it passes again', async () => {
    const backend = await RawBackend.answering(OK);
    await using site = await ProxySite.open([backend.port], { service: RATHER_NOBODY });
    site.own(backend);
    failed(site.fleet);
    const refused = parseMessage(await site.exchange(requestText('GET /')));
    assert.equal(refused.status, 503);
    assert.equal(refused.all('retry-after').length, 1);
    assert.equal(await site.statusOf(UPGRADE), 503);
    assert.equal(backend.connections.length, 0);
    for (const upstream of site.upstreams()) site.setHealth(upstream, 'healthy');
    assert.equal(await site.statusOf(requestText('GET /')), 200);
    failed(site.fleet);
    site.use([backend.port]); // the default again
    assert.equal(await site.statusOf(requestText('GET /')), 200);
  });
});

describe('threads', () => {
  it('agree on it, also when it is changed', async () => {
    const backend = await RawBackend.answering(OK);
    await using site = await ThreadedSite.open(2, [backend.port], RATHER_NOBODY);
    const statuses = async () => {
      const clients = await Promise.all(Array.from({ length: 12 }, () => rawClient(site.port, requestText('GET /'))));
      return new Set(await Promise.all(clients.map(async (client) => parseMessage(await client.rest()).status)));
    };
    assert.deepEqual(await statuses(), new Set([200]));
    failed(site.fleet);
    assert.deepEqual(await statuses(), new Set([503]));
    site.use([backend.port]);
    await eventually('all threads have it', () => site.slots.isPast(site.slots.generation - 1));
    assert.deepEqual(await statuses(), new Set([200]));
    await backend.stop();
  });
});
