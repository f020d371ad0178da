import type { Algorithm } from '../../../internal/model/algorithms.ts';
import { drawAnswer, type Scenario } from '../../../internal/simulation/scenario.ts';
import { Backend } from '../../../internal/simulation/backend.ts';
import { exponential, randomFrom } from '../../../internal/simulation/random.ts';
import { VirtualClock } from '../../../internal/simulation/virtual-clock.ts';
import { attemptOf, lineOf, recordOf } from '../../support/request-record.ts';

/**
 * The lines of a load balancer that sends the requests of a scenario in turn to its backends, which are all there from the start. What
 * is recorded here is not recorded by the simulator: it would only agree with itself.
 */
export function recordedInTurn(
  scenario: Scenario,
  seed: number,
  algorithm: Algorithm | null = 'round-robin',
): string[] {
  const clock = new VirtualClock();
  const random = randomFrom(seed);
  const lines: string[] = [];
  const backends = scenario.backends.map((plan, n) => {
    const draws = randomFrom(seed + 1 + n);
    return { id: plan.id, backend: new Backend(clock, plan.workers, (now) => drawAnswer(plan, now, draws)) };
  });
  let at = 0;
  for (let n = 0; at < scenario.measured.to; n += 1) {
    at += exponential(random, 1_000 / scenario.rate);
    clock.at(at, () => {
      const { id, backend } = backends[n % backends.length]!;
      const startedAt = clock.monotonic();
      backend.take(({ status }) => {
        const totalMs = clock.monotonic() - startedAt;
        const attempts = [attemptOf({ upstream: id, headMs: totalMs, totalMs })];
        const times = { at: clock.now() - totalMs, attempts, totalMs };
        const names = { target: `/${n}`, status: status ?? 502, algorithm: algorithm ?? undefined };
        lines.push(lineOf(recordOf({ ...times, ...names })));
      });
    });
  }
  clock.run();
  return lines;
}
