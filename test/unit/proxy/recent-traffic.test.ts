import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { latenciesOf, RecentTraffic } from '../../../internal/proxy/recent-traffic.ts';
import { ServicePool } from '../../../internal/proxy/service-pool.ts';
import type { Upstream } from '../../../internal/proxy/upstream.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { service, upstream } from '../../support/proxy-fakes.ts';

function setUp() {
  const clock = new ManualClock();
  const pool = new ServicePool(
    service(),
    'a secret that is long enough',
    { connectFailed() {}, drained() {} },
    () => 0,
  );
  const recent = new RecentTraffic(clock, () => [pool]);
  const web = upstream('web-1');
  pool.put(web);
  const serve = (of: Upstream, times: number, ms: number, failed = false) => {
    for (let n = 0; n < times; n += 1) {
      of.claim();
      of.took(ms);
      of.unclaim(failed);
    }
  };
  const answers = (ms: number) => latenciesOf(recent.lately(web, ms).latencies).answers;
  return { clock, pool, recent, web, serve, answers };
}

describe('recent traffic', () => {
  it('is what was done within a time, up to this moment', async () => {
    const { clock, recent, web, serve, answers } = setUp();
    serve(web, 7, 10);
    recent.start();
    assert.equal(answers(60_000), 7, 'what was done before the first note counts, too');
    await clock.advance(100_000);
    assert.equal(answers(60_000), 0);
    serve(web, 5, 100, true);
    await clock.advance(30_000);
    serve(web, 3, 100);
    assert.deepEqual([answers(20_000), answers(60_000)], [3, 8]);
    const { requests, failures } = recent.lately(web, 60_000);
    assert.deepEqual([requests, failures], [8, 5]);
    recent.stop();
    assert.equal(clock.pending, 0);
  });

  it('reaches back as far as somebody asks for', async () => {
    const { clock, recent, web, serve, answers } = setUp();
    recent.keep(300_000);
    recent.start();
    serve(web, 4, 10);
    await clock.advance(290_000);
    assert.equal(answers(300_000), 4);
    await clock.advance(30_000);
    assert.equal(answers(300_000), 0);
  });

  it('forgets what nobody asks for', async () => {
    const { clock, recent, web, serve, answers } = setUp();
    recent.start();
    serve(web, 4, 10);
    await clock.advance(200_000);
    assert.equal(answers(600_000), 0);
  });

  it('has quantiles, or says that there was no answer', () => {
    const { web, serve, recent } = setUp();
    assert.deepEqual(latenciesOf(recent.lately(web, 60_000).latencies), {
      answers: 0,
      p50: null,
      p95: null,
      p99: null,
    });
    serve(web, 90, 10);
    serve(web, 10, 1_000);
    const { answers, p50, p95, p99 } = latenciesOf(recent.lately(web, 60_000).latencies);
    assert.equal(answers, 100);
    assert.ok(p50 !== null && Math.abs(p50 / 10 - 1) < 0.08);
    assert.ok(p95 !== null && p99 !== null && p95 > 900 && p99 < 1_100);
  });
});
