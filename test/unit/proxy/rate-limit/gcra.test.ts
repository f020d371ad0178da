import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { levelWith, type Rule, ruleOf, type Verdict, verdictOf } from '../../../../internal/proxy/rate-limit/gcra.ts';

/** One client under a rule. */
class Client {
  readonly #rule: Rule;
  #emptyAt = 0;

  constructor(requests: number, per: number, burst: number) {
    this.#rule = ruleOf({ requests, per, burst, key: 'ip' });
  }

  ask(now: number): Verdict {
    const level = levelWith(this.#emptyAt, now, this.#rule);
    const verdict = verdictOf(level, this.#rule);
    if (verdict.granted) this.#emptyAt = now + level;
    return verdict;
  }
}

const REQUESTS = fc.integer({ min: 1, max: 500 });
const SECONDS = fc.integer({ min: 1, max: 60 });
const BURST = fc.integer({ min: 1, max: 50 });
/** Milliseconds from one request to the next; often none. */
const GAPS = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3_000, noNaN: true })), { maxLength: 300 });

describe('the rate algorithm', () => {
  it('grants in no window more than the burst and what the rate gives in that time', () => {
    fc.assert(
      fc.property(REQUESTS, SECONDS, BURST, GAPS, (requests, seconds, burst, gaps) => {
        const client = new Client(requests, seconds * 1_000, burst);
        const granted: number[] = [];
        let now = 1e9;
        for (const gap of gaps) {
          now += gap;
          if (client.ask(now).granted) granted.push(now);
        }
        for (const [first, from] of granted.entries()) {
          for (const [last, to] of granted.entries()) {
            if (last < first) continue;
            const most = burst + ((to - from) * requests) / (seconds * 1_000);
            assert.ok(last - first + 1 <= most + 0.002, `${last - first + 1} in ${to - from} ms, of ${most}`);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('never refuses a client that comes no faster than the rate, however its burst was used up', () => {
    fc.assert(
      fc.property(REQUESTS, SECONDS, BURST, (requests, seconds, burst) => {
        const client = new Client(requests, seconds * 1_000, burst);
        let now = 1e9;
        while (client.ask(now).granted);
        for (let n = 0; n < 100; n += 1) {
          now += (seconds * 1_000) / requests;
          assert.ok(client.ask(now).granted);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('says truly how many more it would grant, and when there is one more', () => {
    fc.assert(
      fc.property(REQUESTS, SECONDS, BURST, GAPS, (requests, seconds, burst, gaps) => {
        const client = new Client(requests, seconds * 1_000, burst);
        let now = 1e9;
        for (const gap of gaps.slice(0, 20)) {
          now += gap;
          const { remaining, waitMs } = client.ask(now);
          for (let n = 0; n < remaining; n += 1) assert.ok(client.ask(now).granted);
          assert.equal(client.ask(now).granted, false);
          assert.ok(waitMs > 0 && waitMs <= (1.002 * seconds * 1_000) / requests);
          now += waitMs;
          assert.ok(client.ask(now).granted);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('decides as a bucket of tokens would', () => {
    const whole = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 300 });
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 5, 8, 10, 100, 125, 500), BURST, whole, (requests, burst, gaps) => {
        const interval = 1_000 / requests;
        const client = new Client(requests, 1_000, burst);
        let tokens = burst * interval; // in milliseconds, so that all numbers are whole
        let now = 1e9;
        for (const gap of gaps) {
          now += gap;
          tokens = Math.min(tokens + gap, burst * interval);
          const granted = tokens >= interval;
          if (granted) tokens -= interval;
          assert.equal(client.ask(now).granted, granted);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('grants the whole burst on a machine that has been up for a year', () => {
    const client = new Client(30, 1_000, 1_000);
    const granted = Array.from({ length: 1_100 }, () => client.ask(3.2e10 + 1 / 3)).filter(
      (verdict) => verdict.granted,
    );
    assert.equal(granted.length, 1_000);
  });
});
