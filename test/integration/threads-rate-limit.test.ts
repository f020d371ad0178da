import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ruleOf } from '../../internal/proxy/rate-limit/gcra.ts';
import { RateLimits } from '../../internal/proxy/rate-limit/rate-limits.ts';
import { rateLimitsView } from '../../internal/proxy/rate-limit/view.ts';
import type { ChargingTask } from '../support/charging-thread.ts';
import { eventually, RawBackend, rawClient, requestText } from '../support/proxy-raw.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const THREADS = [1, 2, 3, 4];
const SCRIPT = join(import.meta.dirname, '../support/charging-thread.ts');
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const KEEP = requestText('GET /', ['Connection: keep-alive']);

/** A backend that is gone at the end, also of a test that fails. */
async function answering(): Promise<{ readonly port: number } & AsyncDisposable> {
  const backend = await RawBackend.answering(OK);
  return { port: backend.port, [Symbol.asyncDispose]: () => backend.stop() };
}

/** Nothing comes back while a test lasts. */
function limited(requests: number) {
  return { routes: [{ rateLimit: { requests, per: '1h' } }] };
}

describe('four threads under one rate limit', () => {
  it('grant together what one client may have, to the request', async () => {
    await using backend = await answering();
    await using site = await ThreadedSite.open(THREADS.length, [backend.port], limited(100));
    const clients = await Promise.all(Array.from({ length: 40 }, () => rawClient(site.port)));
    for (const client of clients) client.write(KEEP.repeat(10));
    const answers = (status = /HTTP\/1\.1 \d+/g) => clients.flatMap(({ received }) => received.match(status) ?? []);
    await eventually('all are answered', () => answers().length === 400);
    assert.deepEqual([answers(/HTTP\/1\.1 200/g).length, answers(/HTTP\/1\.1 429/g).length], [100, 300]);
    const { limits, clients: known } = rateLimitsView(site.fleet.pools(), site.fleet.limits);
    assert.deepEqual([limits[0]?.granted, limits[0]?.refused, known.inUse, known.givenUp], [100, 300, 1, 0]);
    for (const client of clients) client.close();
  });

  it('all take over a changed one, on connections that are open', async () => {
    await using backend = await answering();
    await using site = await ThreadedSite.open(THREADS.length, [backend.port], limited(1));
    const clients = await Promise.all(Array.from({ length: 20 }, () => rawClient(site.port)));
    site.use([backend.port], limited(100_000));
    for (const client of clients) {
      await eventually('it is granted', async () => {
        const before = client.received.length;
        client.write(KEEP);
        await eventually('it is answered', () => /\r\n\r\n(ok|429 [^]+\n)$/.test(client.received.slice(before)));
        return client.received.slice(before).includes('RateLimit-Policy: "/";q=100000;w=3600\r\n');
      });
      client.close();
    }
  });

  it('lose no request and grant none twice when they charge one account at the same time', async () => {
    const limits = RateLimits.create(THREADS.length, () => 0, 8);
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const rule = ruleOf({ requests: 1, per: 1_000, burst: 40_000, key: 'ip' });
    const workers = THREADS.map((thread) => {
      const workerData: ChargingTask = { memory: limits.memory, thread, rule, requests: 20_000, gate };
      return new Worker(SCRIPT, { workerData });
    });
    const counts = workers.map(async (worker) => Number((await once(worker, 'message'))[0]));
    await eventually('they are ready', () => Atomics.load(gate, 0) === THREADS.length);
    Atomics.store(gate, 1, 1);
    Atomics.notify(gate, 1);
    const granted = await Promise.all(counts);
    assert.equal(
      granted.reduce((sum, count) => sum + count, 0),
      40_000,
    );
  });
});
