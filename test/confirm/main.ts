import { readLog } from '../../cmd/heimdall/read-log.ts';
import type { Algorithm } from '../../internal/model/algorithms.ts';
import type { Figures, Ledger } from '../../internal/simulation/ledger.ts';
import { Replay } from '../../internal/simulation/replay.ts';
import type { Scenario } from '../../internal/simulation/scenario.ts';
import { SCENARIOS } from '../../internal/simulation/scenarios.ts';
import { simulateScenario } from '../../internal/simulation/simulate-scenario.ts';
import { Workshop } from '../bench/workshop.ts';
import { load } from './load.ts';
import { startSite } from './real-site.ts';

/** Those with four backends from the start: processes that join are for other tests. */
const CONFIRMED = ['slow', 'recovery'];
/** The first one is in use while the log is written that the others are predicted from. */
const COMPARED: readonly [Algorithm, ...Algorithm[]] = [
  'round-robin',
  'least-connections',
  'random-two-choices',
  'least-time',
];
const SEED = 1;

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => ending.abort(new Error(`ended by ${signal}`)));
await using workshop = await Workshop.open(ending.signal);
for (const name of process.argv.length > 2 ? process.argv.slice(2) : CONFIRMED) {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  await confirm(scenario);
}

/**
 * Runs a scenario with real processes, once with each algorithm, and puts what was measured beside what the simulation says, and what
 * is predicted from the log of the first run.
 */
async function confirm(scenario: Scenario): Promise<void> {
  let log: { readonly replay: Replay; readonly watched: string } | null = null;
  process.stdout.write(
    `${scenario.name}: ${scenario.title}\n\n| | p50 ms | p95 ms | p99 ms | share of d % |\n|---|---:|---:|---:|---:|\n`,
  );
  for (const algorithm of COMPARED) {
    const measured = await measure(scenario, algorithm);
    log ??= { replay: await replayOf(measured.log), watched: measured.watched };
    const { ledger } = measured;
    const { shares, ...simulated } = simulateScenario(scenario, algorithm, SEED);
    tell(`${algorithm}, measured`, ledger.figures(scenario.measured), shareOf(ledger, scenario));
    tell('simulated', simulated, shares[scenario.watch.backend] ?? 0);
    const { shares: predicted, ...figures } = log.replay.with(algorithm, SEED);
    tell(`predicted from the log of ${COMPARED[0]}`, figures, predicted[log.watched] ?? 0);
  }
  process.stdout.write('\n');
}

interface Measured {
  readonly ledger: Ledger;
  readonly log: string;
  readonly watched: string;
}

async function measure(scenario: Scenario, algorithm: Algorithm): Promise<Measured> {
  const site = await startSite(workshop, scenario, algorithm);
  const ledger = await load(site.url, scenario, SEED, site.begin());
  await site.stop();
  return { ledger, log: site.log, watched: site.watched };
}

async function replayOf(log: string): Promise<Replay> {
  const recording = (await readLog(log, 'web')).recording('web');
  if (recording === null) throw new Error('nothing was recorded');
  return new Replay(recording);
}

function shareOf(ledger: Ledger, { watch, measured }: Scenario): number {
  return ledger.shares(measured).get(watch.backend) ?? 0;
}

function tell(name: string, { p50, p95, p99 }: Figures, share: number): void {
  const cells = [...[p50, p95, p99].map((value) => value.toFixed(1)), (100 * share).toFixed(2)];
  process.stdout.write(`| ${name} | ${cells.join(' | ')} |\n`);
}
