import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { planCores } from '../core-plan.ts';
import { FreePorts } from '../free-ports.ts';
import { isInstalled } from '../installed.ts';
import { answers } from '../readiness.ts';
import { type Table, toMarkdown } from '../report/table.ts';
import { Workshop } from '../workshop.ts';
import { type Candidate, CANDIDATES } from './candidates.ts';
import { type Figures, figuresOf } from './figures.ts';
import { load } from './load.ts';
import { BACKENDS, CALM, CAPACITY, FULL, OVERLOAD, type Pace, QUICK, type Scenario, SCENARIOS } from './plan.ts';

/** `npm run bench:overload`: what becomes of requests when twice as many come as the backends can answer. */
const COLUMNS: readonly (readonly [title: string, cell: (figures: Figures) => string])[] = [
  ['goodput %', ({ goodput }) => goodput.toFixed(1)],
  ['p50 ms', ({ p50 }) => whole(p50)],
  ['p99 ms', ({ p99 }) => whole(p99)],
  ['refused %', ({ refused }) => refused.toFixed(1)],
  ['refused within ms (p99)', ({ refusedP99 }) => whole(refusedP99)],
  ['gave up %', ({ gaveUp }) => gaveUp.toFixed(1)],
  ['usual again after s', ({ recovery }) => (Number.isFinite(recovery) ? recovery.toFixed(1) : 'longer')],
];

/** Of so much the latencies are wrong at most. */
const LATE_MS = 20;

const {
  quick,
  json,
  only,
  scenario: named,
} = new Command('bench:overload')
  .description('Compares what proxies make of twice the load that the backends can bear.')
  .option('--quick', 'short phases: to see that it works, not to compare', false)
  .option('--only <text>', 'candidates whose names contain it')
  .addOption(new Option('--scenario <name>', 'one of them').choices(SCENARIOS.map(({ name }) => name)))
  .option('--json <file>', 'write the numbers as JSON, too')
  .parse()
  .opts<{ readonly quick: boolean; readonly only?: string; readonly scenario?: string; readonly json?: string }>();
const pace: Pace = quick ? QUICK : FULL;
const plan = planCores(isInstalled('taskset') ? availableParallelism() : 1);
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => ending.abort(new Error(`ended by ${signal}`)));

try {
  if (plan.load !== null) execFileSync('taskset', ['-a', '-c', '-p', plan.load, String(process.pid)]);
  const present = CANDIDATES.filter(
    ({ name, program }) => name.includes(only ?? '') && (program === undefined || isInstalled(program)),
  );
  const results: { scenario: string; candidate: string; figures: Figures }[] = [];
  for (const scenario of SCENARIOS.filter(({ name }) => named === undefined || name === named)) {
    const rows: string[][] = [];
    for (const candidate of present) {
      const figures = await measure(scenario, candidate);
      results.push({ scenario: scenario.name, candidate: candidate.name, figures });
      rows.push([candidate.name, candidate.told ? 'yes' : 'no', ...COLUMNS.map(([, cell]) => cell(figures))]);
      process.stderr.write(`${scenario.name}: ${rows.at(-1)?.join('  ')}\n`);
      if (figures.late > LATE_MS)
        process.stderr.write(`  ${figures.late.toFixed(0)} ms late: the machine is busy, run it again\n`);
    }
    const table: Table = [['', 'knows the capacity', ...COLUMNS.map(([title]) => title)], ...rows];
    process.stdout.write(`**${scenario.name}**: ${scenario.title}\n\n${toMarkdown(table)}\n\n`);
  }
  if (json !== undefined) await writeFile(json, JSON.stringify(results, null, 2));
} catch (error) {
  process.stderr.write(`bench:overload: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** @throws what the run was ended with; nothing of it is left then. */
async function measure(scenario: Scenario, candidate: Candidate): Promise<Figures> {
  await using workshop = await Workshop.open(ending.signal);
  const free = new FreePorts();
  const backends = await free.take(BACKENDS);
  const [port = 0, adminPort = 0] = await free.take(2);
  const script = join(import.meta.dirname, 'backend.ts');
  const servers = await workshop.spawn([process.execPath, script, scenario.name, backends.join(',')], {
    cores: plan.load,
  });
  for (const backend of backends) await answers(servers, backend, ending.signal);
  const proxy = await candidate.start(workshop, { port, adminPort, backends, cores: plan.oneThread });
  await answers(proxy, port, ending.signal);
  const phases = [
    { seconds: pace.calm, rate: CALM * CAPACITY },
    { seconds: pace.overload, rate: OVERLOAD * CAPACITY },
    { seconds: pace.recovery, rate: CALM * CAPACITY },
  ];
  return figuresOf(await load(port, phases, ending.signal), pace);
}

function whole(value: number): string {
  return Number.isFinite(value) ? value.toFixed(0) : '–';
}
