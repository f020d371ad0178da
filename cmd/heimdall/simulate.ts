import { calibrate } from '../../internal/simulation/calibration.ts';
import { Replay, REPLAYABLE } from '../../internal/simulation/replay.ts';
import type { Scenario } from '../../internal/simulation/scenario.ts';
import { SCENARIOS } from '../../internal/simulation/scenarios.ts';
import { simulateScenario } from '../../internal/simulation/simulate-scenario.ts';
import type { Algorithm } from '../../internal/model/algorithms.ts';
import { CommandError, UsageError } from './command-error.ts';
import { EXIT } from './exit-codes.ts';
import { readLog } from './read-log.ts';
import { type ReplayReport, replayText, scenarioText } from './simulate-text.ts';

/** As they stand on the command line. */
export interface SimulateArguments {
  readonly scenario?: string;
  readonly algorithm?: readonly string[];
  readonly seed: string;
  readonly balancers: string;
  readonly fromLog?: string;
  readonly service?: string;
  readonly json: boolean;
}

/**
 * `heimdall simulate`: compares the algorithms in the scenarios, or, with an access log, on what was recorded.
 * @throws {CommandError} as `simulation`.
 */
export async function simulate(given: SimulateArguments): Promise<void> {
  process.stdout.write(await simulation(given));
}

/**
 * What the command prints.
 * @throws {UsageError}
 * @throws {CommandError} that names the log, when it cannot be read or has nothing to replay.
 */
export async function simulation(given: SimulateArguments): Promise<string> {
  const algorithms = algorithmsOf(given.algorithm);
  const seed = seedOf(given.seed);
  const balancers = balancersOf(given.balancers);
  const { fromLog, service, json } = given;
  if (fromLog !== undefined) return replay(fromLog, service ?? null, { algorithms, seed, json });
  if (service !== undefined) throw new UsageError('--service goes with --from-log');
  return compare(scenariosOf(given.scenario), balancers, { algorithms, seed, json });
}

interface Choices {
  readonly algorithms: readonly Algorithm[];
  readonly seed: number;
  readonly json: boolean;
}

function compare(scenarios: readonly Scenario[], balancers: number, { algorithms, seed, json }: Choices): string {
  const results = scenarios.map((scenario) => ({
    scenario,
    seed,
    balancers,
    results: algorithms.map((algorithm) => simulateScenario(scenario, algorithm, seed, balancers)),
  }));
  if (!json) return results.map(scenarioText).join('\n');
  return toJson(results.map(({ scenario: { name, title }, ...rest }) => ({ name, title, ...rest })));
}

async function replay(file: string, wanted: string | null, { algorithms, seed, json }: Choices): Promise<string> {
  const reader = await readLog(file, wanted);
  const { services } = reader;
  if (services.length === 0) throw new CommandError(EXIT.failed, nothingIn(file, reader.unusable));
  const service = wanted ?? services[0] ?? '';
  const choices = `it has requests of ${services.join(', ')}`;
  if (wanted === null && services.length > 1) throw new UsageError(`${file}: ${choices}; choose one with --service`);
  const recording = reader.recording(service);
  if (recording === null) throw new UsageError(`${file}: no request of the service "${service}"; ${choices}`);
  const replay = new Replay(recording);
  const { algorithm: used } = recording;
  const recorded = replay.recorded();
  const simulated = algorithms.map((algorithm) => ({ algorithm, ...replay.with(algorithm, seed) }));
  const again = used === null || !REPLAYABLE.includes(used) ? null : replay.with(used, seed);
  const report: ReplayReport = {
    file,
    service,
    seed,
    algorithm: used,
    otherwise: recording.otherwise,
    seconds: recording.span.to / 1_000,
    isCut: reader.isFull,
    unusable: Object.fromEntries(reader.unusable),
    upstreams: replay.models.map(({ id, workers }) => ({ id, workers })),
    recorded,
    simulated,
    calibration: again === null ? null : calibrate(recorded, again),
  };
  return json ? toJson(report) : replayText(report);
}

function nothingIn(file: string, unusable: ReadonlyMap<string, number>): string {
  const lines = Array.from(unusable, ([why, count]) => `${count} lines ${why}`).join(', ') || 'it is empty';
  return (
    `${file} has no request that can be replayed: ${lines}. Expected is what the load balancer writes to standard output ` +
    'or to the file of proxy.accessLog, with "format": "json"; by default it is written so where there is no terminal.'
  );
}

function algorithmsOf(names: readonly string[] | undefined): readonly Algorithm[] {
  if (names === undefined) return REPLAYABLE;
  return names.map((name) => {
    const found = REPLAYABLE.find((algorithm) => algorithm === name);
    if (found !== undefined) return found;
    const why = name === 'sticky-round-robin' ? 'cannot be simulated, because cookies are not recorded' : 'is unknown';
    throw new UsageError(`the algorithm "${name}" ${why}; there are ${REPLAYABLE.join(', ')}`);
  });
}

function scenariosOf(name: string | undefined): readonly Scenario[] {
  if (name === undefined) return SCENARIOS;
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found !== undefined) return [found];
  throw new UsageError(`there is no scenario "${name}", only ${SCENARIOS.map((scenario) => scenario.name).join(', ')}`);
}

function seedOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--seed: expected a whole number from 0 to 999999999, not "${text}"`);
}

function balancersOf(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new UsageError(`--balancers: expected a whole number from 1 to 999, not "${text}"`);
}

/** What is not finite is `null` there. */
function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
