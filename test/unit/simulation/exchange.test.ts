import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '../../../internal/proxy/outcome.ts';
import { RetryBudget } from '../../../internal/proxy/retry.ts';
import { type Answer, Backend } from '../../../internal/simulation/backend.ts';
import { BalancedSite } from '../../../internal/simulation/balanced-site.ts';
import { Exchange } from '../../../internal/simulation/exchange.ts';
import { Ledger } from '../../../internal/simulation/ledger.ts';
import { randomFrom } from '../../../internal/simulation/random.ts';
import { VirtualClock } from '../../../internal/simulation/virtual-clock.ts';

const GOOD: Answer = { serviceMs: 10, tailMs: 40, status: 200, outcome: { kind: 'completed', status: 200 } };

function broken(outcome: Outcome): Answer {
  return { serviceMs: 5, tailMs: 0, status: null, outcome };
}

/** Two backends; the first request goes to the one that answers as told. */
function run(first: Answer, method = 'GET') {
  const clock = new VirtualClock();
  const site = new BalancedSite({ algorithm: 'round-robin', slowStart: null, room: 2 }, clock, randomFrom(1));
  const ledger = new Ledger();
  const backends = new Map([first, GOOD].map((answer, n) => [`b${n}`, new Backend(clock, 1, () => answer)]));
  for (const id of backends.keys()) site.join(id, 1, false);
  const tools = { clock, pool: site.pool, backends, ledger, budget: new RetryBudget(() => clock.monotonic()) };
  new Exchange(tools, method, 0).start();
  const inFlight = () => [...site.pool.upstreams()].map((upstream) => upstream.inFlight);
  const atHead: number[][] = [];
  clock.at(20, () => atHead.push(inFlight()));
  clock.run();
  assert.deepEqual(inFlight(), [0, 0]);
  const { p50, failed } = ledger.figures({ from: 0, to: 1_000 });
  return { p50, failed, attempts: [...ledger.shares({ from: 0, to: 1_000 })].length, atHead: atHead[0] };
}

describe('a simulated request', () => {
  it('takes as long as the way to the response head, and is in flight up to the end of the response', () => {
    assert.deepEqual(run(GOOD), { p50: 10, failed: 0, attempts: 1, atHead: [1, 0] });
  });

  it('goes to another upstream when one cannot be reached', () => {
    const { p50, failed, attempts } = run(broken({ kind: 'connect-failed', cause: 'ECONNREFUSED' }), 'POST');
    assert.deepEqual([p50, failed, attempts], [15, 0, 2]);
  });

  it('is repeated after a reset where a load balancer would do it, and only there', () => {
    const reset = broken({ kind: 'reset', cause: 'ECONNRESET' });
    assert.deepEqual([run(reset).failed, run(reset, 'POST').failed], [0, 1]);
  });

  it('has failed when its answer says so', () => {
    const status = 500;
    const { p50, failed } = run({ ...GOOD, status, outcome: { kind: 'completed', status } });
    assert.deepEqual([p50, failed], [Number.POSITIVE_INFINITY, 1]);
  });
});
