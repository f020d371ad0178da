import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Candidate } from '../../../internal/algorithms/balancer.ts';
import { LeastTime } from '../../../internal/algorithms/least-time.ts';
import { candidate, picks, request, type TestCandidate } from './candidates.ts';

/** The time constants, with and without samples. */
const EVIDENCE_MS = 1_000;

function answer(balancer: LeastTime, one: Candidate, all: readonly Candidate[], elapsed: number, now = 0): void {
  balancer.observe(one, all, { elapsed, failed: false, now });
}

function fail(balancer: LeastTime, one: Candidate, all: readonly Candidate[], elapsed: number, now = 0): void {
  balancer.observe(one, all, { elapsed, failed: true, now });
}

/** One of the candidates by its index. */
function at(all: readonly TestCandidate[], index: number): TestCandidate {
  return all[index] ?? assert.fail();
}

/** Candidates a, b, … that were measured at time 0; NaN: not measured. */
function measured(balancer: LeastTime, costs: readonly number[]): TestCandidate[] {
  const all = costs.map((_, n) => candidate(String.fromCharCode(97 + n)));
  for (const [n, cost] of costs.entries()) if (!Number.isNaN(cost)) answer(balancer, at(all, n), all, cost);
  return all;
}

describe('the cost of least time', () => {
  it('starts with the first sample and jumps up to a slower one at once', () => {
    const balancer = new LeastTime();
    const a = candidate('a');
    answer(balancer, a, [a], 20, 0);
    assert.equal(a.cost, 20);
    answer(balancer, a, [a], 300, 1);
    assert.equal(a.cost, 300);
  });

  it('approaches faster samples with a time constant of one second', () => {
    const balancer = new LeastTime();
    const a = candidate('a');
    answer(balancer, a, [a], 100, 0);
    answer(balancer, a, [a], 20, 500);
    const w = Math.exp(-500 / EVIDENCE_MS);
    assert.ok(Math.abs(a.cost - (w * 100 + (1 - w) * 20)) < 1e-9, `cost ${a.cost}`);
    assert.equal(a.costAt, 500);
  });

  it('counts a fast failure as ten medians', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [10, 20, 30, Number.NaN]);
    fail(balancer, at(all, 3), all, 0.2, 200);
    const { cost } = at(all, 3);
    assert.ok(cost > 190 && cost <= 200, `cost ${cost}`);
  });

  it('counts a failure as one second while nothing is known', () => {
    const a = candidate('a');
    fail(new LeastTime(), a, [a], 1);
    assert.equal(a.cost, 1_000);
  });

  it('never counts a failure as less than the median', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [4_000, 4_000, Number.NaN]);
    fail(balancer, at(all, 2), all, 1, 100);
    assert.ok(at(all, 2).cost > 3_900, `cost ${at(all, 2).cost}`);
  });

  it('counts a slow failure with the time it took', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [10, 10]);
    fail(balancer, at(all, 0), all, 30_000, 1);
    assert.equal(at(all, 0).cost, 30_000);
  });

  it('does not climb without end when every candidate fails', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [50, 50]);
    for (let now = 0; now < 60_000; now += 100) for (const one of all) fail(balancer, one, all, 1, now);
    for (const { cost } of all) assert.ok(cost <= 1_000, `cost ${cost}`);
  });
});

describe('least time', () => {
  it('takes the candidate with the smallest cost times requests in flight', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [10, 30, 100]);
    assert.equal(picks(balancer, all, 1), 'a');
    at(all, 0).inFlight = 3; // 10 · 4 > 30 · 1
    assert.equal(picks(balancer, all, 1), 'b');
    at(all, 1).inFlight = 3; // 30 · 4 > 100 · 1 > 10 · 4
    assert.equal(picks(balancer, all, 1), 'a');
  });

  it('divides the score by the weight', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [10, 30]);
    at(all, 1).weight = 4;
    assert.equal(picks(balancer, all, 1), 'b');
  });

  it('behaves like least connections while there is no sample', () => {
    assert.equal(picks(new LeastTime(), [candidate('a', 1, 1), candidate('b'), candidate('c')], 4), 'b c b c');
    assert.equal(picks(new LeastTime(), [candidate('a', 3), candidate('b')], 5), 'a a a b a');
  });

  it('uses the first sample of the pool at once', () => {
    const balancer = new LeastTime();
    const all = [candidate('a'), candidate('b', 2)];
    picks(balancer, all, 3);
    answer(balancer, at(all, 0), all, 10, 1);
    assert.equal(picks(balancer, all, 3, request({ now: 1 })), 'b b b');
  });

  it('takes turns among equals', () => {
    const balancer = new LeastTime();
    assert.equal(picks(balancer, measured(balancer, [10, 10, 10]), 6), 'a b c a b c');
  });

  it('keeps the turns among equals through a retry on a shorter list', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [10, 10, 10]);
    assert.equal(picks(balancer, all, 1), 'a');
    assert.equal(picks(balancer, all.slice(1), 1), 'b');
    assert.equal(picks(balancer, all, 2), 'c a');
  });

  it('remembers what it knows of the pool through a retry that has only unmeasured ones to go to', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [500, 1, Number.NaN]);
    const cold = [at(all, 2)];
    at(all, 2).inFlight = 1;
    for (const now of [200, 400]) {
      balancer.pick(cold, request({ now }));
      assert.equal(balancer.pick(all, request({ now: now + 1 })).id, 'b');
      assert.equal(balancer.pick(all, request({ now: now + 2 })).id, 'b');
    }
  });

  it('sees the requests in flight even where an answer took no measurable time', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [0, 1]);
    at(all, 0).inFlight = 200;
    assert.equal(picks(balancer, all, 1), 'b');
  });

  it('scores a cold candidate with the median of the pool, so that it draws no stampede', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [10, 20, 40, Number.NaN]);
    for (let n = 0; n < 9; n += 1) balancer.pick(all, request({ now: 100 })).inFlight += 1;
    assert.deepEqual(
      all.map(({ inFlight }) => inFlight),
      [4, 2, 1, 2],
    );
  });

  it('tries a cold candidate at once, with a single request', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [10, 40, Number.NaN]);
    const now = request({ now: 100 });
    assert.equal(balancer.pick(all, now).id, 'c');
    at(all, 2).inFlight = 1;
    assert.equal(picks(balancer, all, 3, now), 'a a a');
  });

  it('tries a slow upstream again once its cost has decayed', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [10, 1_000]);
    let now = 0;
    while (balancer.pick(all, request({ now })).id === 'a') {
      now += 1_000;
      answer(balancer, at(all, 0), all, 10, now);
      assert.ok(now < 100_000, 'the slow upstream is never tried again');
    }
    assert.equal(now, 24_000); // 1000 · e^(−t/τ) = 10 at t = τ · ln 100 = 23.03 s
  });

  it('spreads the first burst after a long quiet time', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [20, 20, 20]);
    for (const [n, one] of all.entries()) answer(balancer, one, all, 20, n * 60_000);
    const late = request({ now: 720_000 });
    for (let n = 0; n < 300; n += 1) balancer.pick(all, late).inFlight += 1;
    for (const { inFlight } of all) assert.equal(inFlight, 100);
  });

  it('does not mistake an upstream that fails at once for a fast one', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [20, 20, Number.NaN]);
    const broken = at(all, 2);
    let toBroken = 0;
    for (let now = 100; now < 5_100; now += 5) {
      const picked = balancer.pick(all, request({ now }));
      if (picked === broken) toBroken += 1;
      if (picked === broken) fail(balancer, picked, all, 0.3, now);
      else answer(balancer, picked, all, 20, now);
    }
    assert.ok(toBroken <= 2, `${toBroken} of 1000 requests went to the broken upstream`);
  });

  it('picks in a large pool as in a small one', () => {
    const balancer = new LeastTime();
    const all = measured(
      balancer,
      Array.from({ length: 40 }, (_, n) => 10 + ((n * 7) % 40)),
    );
    const load = (candidate: TestCandidate) => (candidate.cost * (candidate.inFlight + 1)) / candidate.weight;
    for (let n = 0; n < 200; n += 1) {
      const least = Math.min(...all.map(load));
      const picked = balancer.pick(all, request({ now: 200 }));
      assert.equal(load(picked), least);
      picked.inFlight += 1;
    }
  });

  it('forgets a single slow answer within seconds while others follow', () => {
    const balancer = new LeastTime();
    const all = measured(balancer, [2, 2]);
    answer(balancer, at(all, 0), all, 50, 0);
    for (let now = 1; now <= 4_000; now += 1) answer(balancer, at(all, 0), all, 2, now);
    assert.ok(at(all, 0).cost < 3, `cost ${at(all, 0).cost}`);
  });

  it('takes the median at most every 100 ms', () => {
    const balancer = new LeastTime();
    let reads = 0;
    const counted = new Proxy(candidate('cold'), {
      get: (target, key, receiver) => {
        if (key === 'cost') reads += 1;
        return Reflect.get(target, key, receiver);
      },
    });
    const all = [...measured(balancer, [10, 10, 10]), counted];
    const readsOfOnePick = (now: number): number => {
      reads = 0;
      balancer.pick(all, request({ now }));
      return reads;
    };
    const [withMedian, without] = [readsOfOnePick(200), readsOfOnePick(299)];
    assert.ok(withMedian > without, `${withMedian} and ${without} reads`);
    assert.equal(readsOfOnePick(300), withMedian);
  });
});
