import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Balancer } from '../../internal/algorithms/balancer.ts';
import { hash32 } from '../../internal/algorithms/hash.ts';
import { candidate, request, seededRandom, type TestCandidate, tally } from '../unit/algorithms/candidates.ts';

/** What every balancing algorithm promises; `make` gives a new one that draws from the given source of randomness. */
export function balancerContract(name: string, make: (random: () => number) => Balancer): void {
  describe(`a balancer: ${name}`, () => {
    it('picks the only candidate there is', () => {
      const only = candidate('only', 3, 7);
      const balancer = make(seededRandom());
      for (let n = 0; n < 10; n += 1)
        assert.equal(balancer.pick([only], request({ hash: n, affinity: 'other' })), only);
    });

    it('refuses to pick from nothing, and works afterwards', () => {
      const balancer = make(seededRandom());
      assert.throws(() => balancer.pick([], request()), RangeError);
      assert.equal(balancer.pick([candidate('a')], request()).id, 'a');
    });

    it('honours weights within 10 % when all requests take the same time', () => {
      const all = [candidate('a', 1), candidate('b', 2), candidate('c', 5)];
      const counts = tally(serve(make(seededRandom()), all, 8_000));
      for (const { id, weight } of all) {
        const expected = weight * 1_000;
        const count = counts.get(id) ?? 0;
        assert.ok(Math.abs(count - expected) <= expected * 0.1, `${id}: ${count} picks, expected ${expected}`);
      }
    });

    it('never picks a candidate that was removed', () => {
      const balancer = make(seededRandom());
      const all = ['a', 'b', 'c', 'd'].map((id) => candidate(id));
      serve(balancer, all, 101);
      const rest = all.filter(({ id }) => id !== 'b');
      assert.deepEqual([...tally(serve(balancer, rest, 500)).keys()].toSorted(), ['a', 'c', 'd']);
    });

    it('picks a candidate that was added within 100 picks', () => {
      const balancer = make(seededRandom());
      const before = ['a', 'b', 'c'].map((id) => candidate(id, 2));
      serve(balancer, before, 1_000);
      const all = [...before, candidate('added')];
      assert.ok(serve(balancer, all, 100, 2_000).includes('added'));
    });

    it('retries on a shorter copy of the list without losing the balance of the others', () => {
      const balancer = make(seededRandom());
      const all = ['a', 'b', 'c', 'd'].map((id) => candidate(id));
      const served: string[] = [];
      for (let n = 0; n < 4_000; n += 1) {
        const context = request({ hash: hash32(`key ${n}`), now: n });
        const first = balancer.pick(all, context);
        const failed = first.id === 'a';
        balancer.observe(first, all, { elapsed: 10, failed, now: n });
        if (!failed) {
          served.push(first.id);
          continue;
        }
        const rest = all.filter((one) => one !== first);
        const second = balancer.pick(rest, context);
        assert.ok(rest.includes(second));
        served.push(second.id);
      }
      const counts = tally(served);
      for (const id of ['b', 'c', 'd'])
        assert.ok(Math.abs((counts.get(id) ?? 0) - 4_000 / 3) < 200, `${id}: ${counts.get(id)}`);
    });

    it('learns from any sample without throwing', () => {
      const balancer = make(seededRandom());
      const [a, b] = [candidate('a'), candidate('b')];
      for (const failed of [true, false]) {
        for (const elapsed of [0, 0.001, 30_000]) {
          for (const list of [[a, b], [b], []]) {
            balancer.observe(a, list, { elapsed, failed, now: 5 });
            assert.ok([a, b].includes(balancer.pick([a, b], request({ now: 4 }))));
          }
        }
      }
    });

    it('explains what it picks, and picks the same when it is not asked to', () => {
      fc.assert(
        fc.property(
          fc.array(loads, { minLength: 1, maxLength: 24 }),
          fc.array(steps, { minLength: 1, maxLength: 60 }),
          (pool, course) => {
            const explained = new Course(make(seededRandom()), pool);
            const silent = new Course(make(seededRandom()), pool);
            for (const step of course) {
              const explanation = explained.explain(step);
              const picked = explained.pick(step);
              assert.equal(explanation.id, picked, explanation.rule);
              assert.equal(silent.pick(step), picked);
            }
            assert.deepEqual(explained.notes(), silent.notes());
          },
        ),
        { numRuns: 200, seed: 5 },
      );
    });

    it('gives the one that it picks the best score, where the score alone decides', () => {
      const balancer = make(seededRandom());
      const all = ['a', 'b', 'c', 'd'].map((id, n) => candidate(id, 1 + n, n));
      for (let n = 0; n < 200; n += 1) {
        const { winner, rule, better, scores } = balancer.explain(all, request({ hash: hash32(`key ${n}`), now: n }));
        const picked = balancer.pick(all, request({ hash: hash32(`key ${n}`), now: n }));
        balancer.observe(picked, all, { elapsed: 1 + n, failed: false, now: n });
        assert.equal(scores.length, all.length);
        const rivals = rule.includes('drawn') ? all.filter(({ id }) => rule.split(/\W+/).includes(id)) : all;
        const best = rivals
          .map((one) => scores[all.indexOf(one)] ?? Number.NaN)
          .filter((score) => !Number.isNaN(score));
        assert.equal(scores[winner], better === 'more' ? Math.max(...best) : Math.min(...best), rule);
      }
    });

    it('picks one of the candidates, and leaves the list alone, whatever happens', () => {
      fc.assert(
        fc.property(
          fc.array(loads, { minLength: 1, maxLength: 12 }),
          fc.array(steps, { maxLength: 60 }),
          (pool, course) => {
            const balancer = make(seededRandom());
            const all = pool.map(({ weight, inFlight }, n) => candidate(`web-${n}`, weight, inFlight));
            let now = 0;
            for (const step of course) {
              now += step.elapsed;
              const list = Object.freeze(subset(all, step.mask));
              const picked = balancer.pick(list, request({ hash: step.hash, affinity: `web-${step.hash % 12}`, now }));
              assert.ok(list.includes(picked));
              picked.inFlight += 1;
              balancer.observe(picked, list, { elapsed: step.elapsed, failed: step.failed, now });
            }
          },
        ),
        { numRuns: 200, seed: 2 },
      );
    });
  });
}

/** A balancer with a pool of its own. */
class Course {
  readonly #balancer: Balancer;
  readonly #all: readonly TestCandidate[];
  #lists = new Map<number, readonly TestCandidate[]>();
  #now = 0;

  constructor(balancer: Balancer, pool: readonly { readonly weight: number; readonly inFlight: number }[]) {
    this.#balancer = balancer;
    this.#all = pool.map(({ weight, inFlight }, n) => candidate(`web-${n}`, weight, inFlight));
  }

  explain(step: Step): { readonly id: string; readonly rule: string } {
    const list = this.#listFor(step);
    const { winner, rule } = this.#balancer.explain(list, this.#request(step));
    return { id: list[winner]?.id ?? 'none', rule };
  }

  pick(step: Step): string {
    const list = this.#listFor(step);
    const picked = this.#balancer.pick(list, this.#request(step));
    picked.inFlight += 1;
    this.#now += step.elapsed;
    this.#balancer.observe(picked, list, { elapsed: step.elapsed, failed: step.failed, now: this.#now });
    return picked.id;
  }

  notes() {
    return this.#all.map(({ id, current, effective, cost, costAt }) => ({ id, current, effective, cost, costAt }));
  }

  #request({ hash }: Step) {
    return request({ hash, affinity: `web-${hash % 12}`, now: this.#now });
  }

  /** The same array for the same candidates, as a pool has it. */
  #listFor({ mask }: Step): readonly TestCandidate[] {
    const list = this.#lists.get(mask % 5) ?? subset(this.#all, mask % 5 === 0 ? 0 : mask);
    this.#lists.set(mask % 5, list);
    return list;
  }
}

const loads = fc.record({
  weight: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0.1, max: 10, noNaN: true })),
  inFlight: fc.nat(1_000),
});

const steps = fc.record({
  mask: fc.nat(0xffffff),
  hash: fc.nat(),
  elapsed: fc.double({ min: 0, max: 60_000, noNaN: true }),
  failed: fc.boolean(),
});
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** The candidates whose bit is set, all of them when none is. */
function subset(all: readonly TestCandidate[], mask: number): readonly TestCandidate[] {
  const chosen = all.filter((_, n) => (mask >> n) & 1);
  return chosen.length > 0 ? chosen : [...all];
}

/**
 * Sends so many requests with different keys, 80 at a time; each takes 80 ms, one comes every millisecond from `start` on.
 * @returns the ids in the order of the picks. Nothing is in flight afterwards.
 */
function serve(balancer: Balancer, candidates: readonly TestCandidate[], count: number, start = 0): string[] {
  const inFlight: TestCandidate[] = [];
  const ids: string[] = [];
  const finishOldest = (now: number): void => {
    const done = inFlight.shift() ?? assert.fail();
    done.inFlight -= 1;
    balancer.observe(done, candidates, { elapsed: 80, failed: false, now });
  };
  for (let n = 0; n < count; n += 1) {
    if (inFlight.length === 80) finishOldest(start + n);
    const picked = balancer.pick(candidates, request({ hash: hash32(`key ${n}`), now: start + n }));
    picked.inFlight += 1;
    inFlight.push(picked);
    ids.push(picked.id);
  }
  while (inFlight.length > 0) finishOldest(start + count);
  return ids;
}
