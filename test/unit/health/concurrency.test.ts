import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConcurrencyLimit, INITIAL_LIMIT } from '../../../internal/health/concurrency.ts';
import { exponential, logNormal, type Random } from '../../../internal/simulation/random.ts';
import { type LimitedCourse, LimitedUpstream } from '../../support/limited-upstream.ts';

/** Eight workers and 20 ms: 400 requests per second. */
const EIGHT = { workers: 8, patienceMs: 50, seconds: 30 };
const CAPACITY = 400;
const TWICE = { rate: () => 2 * CAPACITY };
/** With the mean of 20 ms. */
const SPREAD = (random: Random) => logNormal(random, 17.6, 0.5);

function run(course: Partial<LimitedCourse>): LimitedUpstream {
  return new LimitedUpstream({ ...EIGHT, ...TWICE, serviceMs: SPREAD, ...course });
}

function between(value: number, least: number, most: number, what: string): void {
  assert.ok(value >= least && value <= most, `${what}: ${value} is not between ${least} and ${most}`);
}

describe('the limit of an upstream that is asked for twice its capacity', () => {
  const services: Readonly<Record<string, (random: Random) => number>> = {
    'always the same': () => 20,
    'a little noisy': SPREAD,
    exponential: (random) => exponential(random, 20),
    'very noisy': (random) => logNormal(random, 12.1, 1),
  };
  for (const [name, serviceMs] of Object.entries(services)) {
    it(`leaves its throughput and bounds its latency, when service times are ${name}`, () => {
      for (const seed of [1, 2, 3]) {
        const upstream = run({ serviceMs, seed });
        const { rate, p99 } = upstream.served(5, 30);
        between(rate, 0.94 * CAPACITY, 1.1 * CAPACITY, 'answers per second');
        between(p99, 40, 260, 'p99');
      }
    });
  }

  it('suits one worker as well as two hundred, and a millisecond as well as a second', () => {
    for (const [workers, ms, seconds] of [
      [1, 1, 20],
      [200, 500, 30],
      [6, 1_000, 120],
    ] as const) {
      const capacity = (workers * 1_000) / ms;
      const course = { workers, seconds, rate: () => 2 * capacity, patienceMs: Math.max(50, 10_000 / capacity) };
      const { rate, p99 } = run({ ...course, serviceMs: () => ms }).served(seconds / 2, seconds);
      between(rate, 0.9 * capacity, 1.1 * capacity, `answers per second of ${workers} workers`);
      between(p99, ms, course.patienceMs + 6 * ms + 60, `p99 of ${workers} workers`);
    }
  });

  it('keeps one away from the collapse that slows down with each request more', () => {
    const serviceMs = (random: Random, _: number, load: number) => SPREAD(random) * Math.max(1, load / 8) ** 1.5;
    const { rate } = run({ serviceMs, shared: true, seconds: 40 }).served(10, 40);
    between(rate, 0.85 * CAPACITY, CAPACITY, 'answers per second');
  });

  // As many as there are connections of another proxy: the limit has grown beyond them, and is never in force.
  it('shrinks also where it keeps nobody away, because there are so few clients', () => {
    const serviceMs = (_: Random, now: number, load: number) => (now < 5_000 ? 100 : 50 * Math.max(load, 2));
    const upstream = run({ serviceMs, shared: true, crowd: 60, patienceMs: 1_000, seconds: 60 });
    assert.ok((upstream.limits[45] ?? 0) >= 60, `${upstream.limits[45]} after 4.5 s`);
    between(upstream.limit.value, 1, 12, 'limit');
  });

  it('is found in the middle of an overload, too, whose latencies look usual then', () => {
    const upstream = run({ workers: 1, seconds: 60, serviceMs: () => 20, rate: () => 100, patienceMs: 200 });
    between(upstream.served(30, 60).rate, 47, 53, 'answers per second');
    between(upstream.limit.unloadedMs, 19, 21, 'milliseconds without a queue');
    between(upstream.limit.value, 1, 6, 'limit');
  });
});

describe('the limit of an upstream whose answers become slower for good', () => {
  const serviceMs = (random: Random, now: number) => SPREAD(random) * (now > 20_000 ? 5 : 1);

  it('is learned anew within seconds, so that the load that it bears is served', () => {
    for (const seed of [1, 2, 3]) {
      const upstream = run({ serviceMs, rate: () => 60, seconds: 60, patienceMs: 1_000, seed });
      between(upstream.served(28, 60).rate, 55, 66, 'answers per second');
      between(upstream.limit.unloadedMs, 70, 140, 'milliseconds without a queue');
    }
  });

  it('leaves what throughput there is in an overload', () => {
    const { rate } = run({ serviceMs, seconds: 60, patienceMs: 100 }).served(30, 60);
    between(rate, 0.9 * (CAPACITY / 5), 1.1 * (CAPACITY / 5), 'answers per second');
  });

  it('comes back with the speed', () => {
    const course = (random: Random, now: number) => SPREAD(random) * (now > 10_000 && now < 30_000 ? 5 : 1);
    const upstream = run({ serviceMs: course, seconds: 60 });
    between(upstream.served(32, 40).rate, 0.9 * CAPACITY, 1.1 * CAPACITY, 'answers per second');
  });
});

describe('the limit of an upstream that has no trouble', () => {
  it('grows within a few round trips to what is needed', () => {
    const course = { workers: 500, seconds: 8, rate: () => 1_500, patienceMs: 1_000 };
    const upstream = run({ ...course, serviceMs: (random) => logNormal(random, 176, 0.5) });
    between(upstream.served(3, 8).rate, 1_350, 1_650, 'answers per second');
  });

  it('stays where nobody comes, and where it keeps nobody away', () => {
    const upstream = run({ rate: (now) => (now < 10_000 ? 40 : 0.01), seconds: 60 });
    assert.deepEqual([...new Set(upstream.limits)], [INITIAL_LIMIT]);
  });
});

describe('the limit of an upstream that fails', () => {
  it('is cut while answers are gateway errors, never to nothing, and grows again', () => {
    const upstream = run({ errors: (now) => (now > 10_000 && now < 15_000 ? 1 : 0) });
    between(Math.min(...upstream.limits.slice(110, 150)), 1, 2, 'limit while all fail');
    between(upstream.served(18, 30).rate, 0.9 * CAPACITY, 1.1 * CAPACITY, 'answers per second afterwards');
  });

  it('bears the errors that an application always has', () => {
    const { rate } = run({ errors: () => 0.03 }).served(5, 30);
    between(rate, 0.9 * 0.97 * CAPACITY, CAPACITY, 'answers per second');
  });
});

describe('a limit', () => {
  it('stays within its bounds, also when they change', () => {
    const settings = { min: 4, max: 8, tolerance: 1.25 };
    const limit = new ConcurrencyLimit(settings, 0, () => 0);
    assert.equal(limit.value, 8);
    limit.settings = { ...settings, max: 6 };
    assert.equal(limit.value, 6);
    limit.settings = { min: 30, max: 30, tolerance: 1.25 };
    assert.equal(limit.value, 30);
  });
});
