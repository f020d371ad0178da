import type { Pace } from '../bench.ts';
import type { CorePlan } from '../core-plan.ts';
import type { CaseResult } from '../result.ts';
import type { Machine } from './machine.ts';
import type { Verdict } from './targets.ts';

/** A load average from which something else is likely to take part in the numbers. */
const BUSY = 0.3;

/** All that a run has found out; as it stands it is the JSON output, where an infinite number becomes null. */
export interface Report {
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly cores: CorePlan;
  readonly pace: Pace;
  /** Programs that are not on the PATH. */
  readonly missing: readonly string[];
  readonly cases: readonly CaseResult[];
  readonly targets: readonly Verdict[];
}

/** What was compared, in whole sentences. */
export function circumstances({ pace, cores, machine, missing }: Report): readonly string[] {
  const { rounds, warmUpSeconds, windowSeconds } = pace;
  return [
    `Rounds with the candidates in turns: ${rounds}; ${windowSeconds} s each after ${warmUpSeconds} s of warm-up; medians.`,
    cores.load === null
      ? 'There is one core: proxy and load share it.'
      : `Proxies of one thread run on core ${cores.oneThread}, load and backends on ${cores.load}.`,
    cores.twoCoresFree
      ? `Proxies of two threads run on cores ${cores.twoThreads}.`
      : 'There are not two cores for a proxy besides the load: the throughput of two threads tells nothing here.',
    ...(machine.loadBefore > BUSY
      ? [`The machine was busy (load ${machine.loadBefore.toFixed(2)}): run it again alone.`]
      : []),
    ...missingLine(missing),
  ];
}

function missingLine(missing: readonly string[]): readonly string[] {
  if (missing.length === 0) return [];
  return [`Not installed, so not measured: ${missing.join(', ')} (\`apt-get install ${missing.join(' ')}\`).`];
}
