import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TrafficSample } from '../../../internal/model/traffic-sample.ts';
import { SampleKeeper } from '../../../internal/proxy/sample-keeper.ts';
import { ServicePool } from '../../../internal/proxy/service-pool.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { service, upstream } from '../../support/proxy-fakes.ts';

/** A whole multiple of the span. */
const START = 15_000 * 1_000;

class FakeRegistry {
  readonly proxyId = 'lb';
  readonly saved: TrafficSample[] = [];
  isBroken = false;
  watched = 0;

  async saveSample(sample: TrafficSample): Promise<void> {
    if (this.isBroken) throw new Error('locked');
    this.saved.push(sample);
  }

  async watchedUntil(): Promise<number> {
    return this.watched;
  }
}

function setUp() {
  const pool = new ServicePool(
    service(),
    'a secret that is long enough',
    { connectFailed() {}, drained() {} },
    () => 0,
  );
  const web = upstream('a');
  pool.put(web);
  const registry = new FakeRegistry();
  const site = { now: START };
  const log = createLogger({ name: 'test', level: 'silent' });
  const keeper = new SampleKeeper({ registry, fleet: { pools: () => [pool] }, log, now: () => site.now });
  const serve = (times: number) => {
    for (let n = 0; n < times; n += 1) {
      web.claim();
      web.unclaim(false);
    }
  };
  /** One heartbeat after each second. */
  const beats = async (count: number) => {
    for (let n = 0; n < count; n += 1) {
      site.now += 1_000;
      await keeper.beat();
    }
  };
  /** When each was saved, and how many requests it had, in seconds since the start. */
  const saved = () =>
    registry.saved.map(({ from, until, instances: [first] }) => [
      (from - START) / 1_000,
      (until - START) / 1_000,
      first?.requests,
    ]);
  return { registry, keeper, serve, beats, saved, site, web };
}

describe('the sample keeper', () => {
  it('writes nothing while nothing happens, whoever watches', async () => {
    const { registry, beats } = setUp();
    await beats(40);
    registry.watched = Number.POSITIVE_INFINITY;
    await beats(40);
    assert.deepEqual(registry.saved, []);
  });

  it('writes every five seconds, and at the end of a span, what has happened since it began', async () => {
    const { serve, beats, saved } = setUp();
    for (let n = 0; n < 17; n += 1) {
      serve(1);
      await beats(1);
    }
    assert.deepEqual(saved(), [
      [0, 5, 5],
      [0, 10, 10],
      [0, 15, 15],
    ]);
    await beats(10);
    assert.deepEqual(saved().slice(3), [[15, 20, 2]]);
  });

  it('writes with every heartbeat while somebody watches, also that nothing happens any more', async () => {
    const { registry, serve, beats, saved } = setUp();
    registry.watched = START + 4_000;
    await beats(1);
    serve(3);
    await beats(6);
    assert.deepEqual(saved(), [
      [1, 2, 3],
      [1, 3, 3],
    ]);
  });

  it('lets a sample begin when something begins to happen', async () => {
    const { serve, beats, saved } = setUp();
    await beats(10);
    serve(4);
    await beats(5);
    assert.deepEqual(saved(), [[10, 15, 4]]);
  });

  it('tries again what the registry did not take', async () => {
    const { registry, serve, beats, saved } = setUp();
    registry.isBroken = true;
    serve(4);
    await beats(5);
    registry.isBroken = false;
    await beats(5);
    assert.deepEqual(saved(), [[0, 10, 4]]);
    registry.isBroken = true;
    serve(3);
    await beats(20);
    registry.isBroken = false;
    serve(2);
    await beats(10);
    assert.deepEqual(saved().slice(1), [[0, 31, 9]], 'also beyond the end of its span');
  });

  it('goes on when the clock is set back', async () => {
    const { serve, beats, saved, site } = setUp();
    serve(1);
    await beats(5);
    site.now = START - 3_600_000;
    serve(2);
    await beats(1);
    serve(4);
    await beats(5);
    assert.deepEqual(
      saved().map(([, , requests]) => requests),
      [1, 2, 6],
    );
  });

  it('tells at the end what is left', async () => {
    const { keeper, serve, saved, site } = setUp();
    serve(2);
    site.now += 500;
    await keeper.finish();
    assert.deepEqual(saved(), [[0, 0.5, 2]]);
  });
});
