import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceOutlookSchema } from '../../../../internal/model/service-outlook.ts';
import { outlookOf } from '../../../../internal/proxy/explain/outlook.ts';
import { ServicePool } from '../../../../internal/proxy/service-pool.ts';
import type { Upstream } from '../../../../internal/proxy/upstream.ts';
import { service, upstream } from '../../../support/proxy-fakes.ts';

const EVENTS = { connectFailed() {}, drained() {} };
const AT = Date.UTC(2026, 0, 2, 12);

function outlook(upstreams: readonly Upstream[], settings: Readonly<Record<string, unknown>> = {}) {
  const pool = new ServicePool(service(settings), 'secret', EVENTS, () => 0);
  for (const each of upstreams) pool.put(each);
  return { pool, ...ServiceOutlookSchema.parse(outlookOf(pool)) };
}

const ill = (id = 'ill') =>
  Object.assign(upstream(id, { health: 'unhealthy' }), { healthCause: 'status 503', healthSince: AT });

describe('the outlook of a service', () => {
  it('has a sentence for everybody', () => {
    const ejection = { cause: 'it hangs', since: AT, until: AT + 10_000, times: 1 };
    const all = [
      upstream('fine', { weight: 3 }),
      Object.assign(upstream('warm'), { weight: 0.25 }),
      ill(),
      Object.assign(upstream('out'), { standing: 'ejected', ejection }),
      Object.assign(upstream('back'), { standing: 'on-trial', ejection }),
      upstream('new', { health: 'unknown' }),
      upstream('leaving', { lifecycle: 'draining' }),
      upstream('crashed', { lifecycle: 'backing-off', lastError: 'exit code 1' }),
    ];
    const { sentence, upstreams } = outlook(all, { panicThreshold: 0 });
    assert.equal(sentence, '2 of 8 get requests.');
    assert.deepEqual(
      upstreams.map((each) => each.sentence),
      [
        'Gets requests: 92 % of the weights.',
        'Gets requests: 8 % of the weights; its slow start is at 25 % of its weight.',
        'Gets none, because it is unhealthy since 2026-01-02T12:00:00.000Z: status 503.',
        'Gets none, because it is ejected since 2026-01-02T12:00:00.000Z: it hangs; tried out from 2026-01-02T12:00:10.000Z on.',
        'Gets none, because it is on trial after an ejection since 2026-01-02T12:00:00.000Z: it hangs; a request now and then tries it out.',
        'Gets none, because no check of it has come back yet.',
        'Gets none, because it is draining, so that what runs on it can finish.',
        'Gets none, because it has ended unexpectedly, and is started again before long: exit code 1.',
      ],
    );
  });

  it('says when the unfit get requests, too, and why they are unfit', () => {
    const panic = outlook([upstream('fine'), ill('a'), ill('b')]);
    assert.deepEqual(
      [panic.among, panic.sentence],
      ['panic', '3 of 3 get requests; too few are fit, so that others get them too.'],
    );
    assert.equal(
      panic.upstreams[1]?.sentence,
      'Gets requests: 33 % of the weights; in spite of its health since 2026-01-02T12:00:00.000Z: status 503.',
    );
    assert.match(outlook([ill()]).sentence, /^1 of 1 get requests; nobody is fit/);
    assert.equal(outlook([ill()], { healthCheck: { neverEmpty: false } }).sentence, 'There is nobody to pick: 503.');
  });

  it('says that requests are held, or wait', () => {
    const { pool } = outlook([upstream('fine')]);
    pool.paused = true;
    assert.deepEqual(
      [outlookOf(pool).held, outlookOf(pool).sentence],
      ['paused', 'The service is paused: new requests are held.'],
    );
    assert.equal(outlook([], { command: ['app'], scaleFromZero: true }).held, 'asleep');
    const busy = upstream('busy');
    busy.claim();
    const full = outlook([busy], { maxConnections: 1 });
    assert.equal(full.sentence, 'All that could be picked are full: requests wait.');
    assert.equal(full.upstreams[0]?.sentence, 'Gets none, because it has as many requests in flight as it may.');
    const lastResort = ill();
    lastResort.claim();
    const fullToo = outlook([lastResort], { maxConnections: 1 });
    assert.deepEqual([fullToo.sentence, fullToo.upstreams[0]?.excluded], [full.sentence, 'full']);
  });

  it('shows scores where they are those of every request, and changes nothing about the next pick', () => {
    const { pool, ...before } = outlook([upstream('a', { weight: 2 }), upstream('b')], {
      algorithm: 'weighted-round-robin',
    });
    assert.deepEqual(
      [before.meaning, before.better, before.upstreams.map(({ score }) => score)],
      ['credit with this turn', 'more', [2, 1]],
    );
    assert.deepEqual(
      outlookOf(pool).upstreams.map(({ score }) => score),
      [2, 1],
    );
    const hashed = outlook([upstream('a')], { algorithm: 'ip-url-hash' });
    assert.deepEqual([hashed.meaning, hashed.upstreams[0]?.score], [null, null]);
  });
});
