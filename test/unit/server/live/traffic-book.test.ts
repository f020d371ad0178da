import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bucketOf } from '../../../../internal/model/latency-buckets.ts';
import type { TrafficSample } from '../../../../internal/model/traffic-sample.ts';
import { TrafficBook } from '../../../../internal/server/live/traffic-book.ts';
import { TrafficSums } from '../../../../internal/server/live/traffic-sums.ts';
import { sample } from '../../../support/traffic-sample.ts';

const LAG_MS = 2_500;

/** Of the service `web`, as it is told at that moment. */
function webAt(book: TrafficBook, now: number) {
  const sums = new TrafficSums();
  for (const { spanMs, gains } of book.recent(now, LAG_MS)) for (const gain of gains) sums.add(gain, spanMs);
  return sums.ofService('web', 0);
}

/** A sample that grows by so many requests every second, as it is read every second. */
function growing(proxyId: string, perSecond: number, from: number, seconds: number): TrafficSample[] {
  return Array.from({ length: seconds }, (_, at) =>
    sample({ proxyId, from, until: from + 1_000 * (at + 1), requests: perSecond * (at + 1), latency: 10 }),
  );
}

describe('the traffic book', () => {
  it('counts what each reading of a sample has brought, once', () => {
    const book = new TrafficBook();
    for (const reading of growing('lb-1', 100, 15_000, 8)) book.add([reading, reading], reading.until);
    const { rps, p50 } = webAt(book, 23_000);
    assert.equal(rps, 100);
    assert.equal(bucketOf(p50 ?? 0), bucketOf(10));
  });

  it('goes on from one sample to the next', () => {
    const book = new TrafficBook();
    book.add(growing('lb-1', 100, 15_000, 15), 30_000);
    book.add(growing('lb-1', 100, 30_000, 2), 32_000);
    assert.equal(webAt(book, 32_000).rps, 100);
  });

  it('adds up several load balancers, and neither counts twice nor leaves a gap when one takes over', () => {
    const book = new TrafficBook();
    const told: number[] = [];
    for (let second = 1; second <= 14; second += 1) {
      const until = 15_000 + 1_000 * second;
      // The old one serves 300 a second, then fewer and fewer; the new one the rest.
      const old = [300, 600, 900, 1_200, 1_500, 1_700, 1_800, 1_900, 1_900][Math.min(second, 9) - 1] ?? 0;
      const samples = [sample({ proxyId: 'old', from: 15_000, until, requests: old })];
      if (second >= 5) samples.push(sample({ proxyId: 'new', from: 20_000, until, requests: 300 * second - old }));
      book.add(samples, until);
      if (second >= 6) told.push(webAt(book, until).rps);
    }
    for (const rps of told) assert.ok(Math.abs(rps - 300) <= 30, `${told}`);
  });

  it('merges the histograms before it tells quantiles', () => {
    const book = new TrafficBook();
    book.add(
      [
        sample({ proxyId: 'lb-1', from: 15_000, until: 20_000, requests: 98, latency: 10 }),
        sample({ proxyId: 'lb-2', from: 15_000, until: 20_000, requests: 2, latency: 900 }),
      ],
      20_000,
    );
    const { p50, p99 } = webAt(book, 20_000);
    assert.deepEqual([bucketOf(p50 ?? 0), bucketOf(p99 ?? 0)], [bucketOf(10), bucketOf(900)]);
  });

  it('tells of nothing when load balancers have had nothing to tell for some time', () => {
    const book = new TrafficBook();
    book.add(growing('lb-1', 100, 15_000, 5), 20_000);
    assert.equal(webAt(book, 22_000).rps, 100, 'it may be late');
    assert.ok(webAt(book, 24_000).rps < 75);
    assert.deepEqual(webAt(book, 28_000), { rps: 0, errorRate: null, p50: null, p95: null, p99: null, inFlight: 0 });
  });

  it('knows what is under way at those load balancers alone that live', () => {
    const book = new TrafficBook();
    book.add(
      [
        sample({ proxyId: 'lb-1', from: 0, until: 15_000, inFlight: 9, waiting: 9 }),
        sample({ proxyId: 'lb-1', from: 15_000, until: 16_000, inFlight: 2, waiting: 1 }),
        sample({ proxyId: 'lb-2', from: 15_000, until: 16_000, inFlight: 3, waiting: 4 }),
      ],
      16_000,
    );
    const both = book.present(new Set(['lb-1', 'lb-2']));
    assert.deepEqual([both.onService.get('web'), both.onInstance.get('web-1'), both.waiting.get('web')], [5, 5, 5]);
    const one = book.present(new Set(['lb-1']));
    assert.deepEqual([one.onService.get('web'), one.waiting.get('web')], [2, 1]);
  });

  it('forgets what is older than a quarter of an hour', () => {
    const book = new TrafficBook();
    book.add(growing('lb-1', 1, 15_000, 1), 16_000);
    book.add([], 16_000 + 900_001);
    assert.deepEqual([...book.samples()], []);
  });
});
