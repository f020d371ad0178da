import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { chaos } from './chaos.ts';

/** Enough to keep two cores busy. */
const PAUSE_MS = 2;

const { minutes, seed, planned, log, json } = new Command('npm run soak --')
  .description('Loads a whole heimdall in every way at once, changes it and breaks it, and looks for failed requests.')
  .option('--minutes <n>', 'how long', Number, 3)
  .option(
    '--seed <n>',
    'of the schedule; the same seed does the same things in the same order',
    Number,
    Date.now() % 1_000_000,
  )
  .option('--planned', 'only what an operator does: nothing breaks', false)
  .option('--log <file>', 'where to write what the processes have printed')
  .option('--json', 'print { seed, visits, actions, complaints }', false)
  .parse()
  .opts<{ minutes: number; seed: number; planned: boolean; log?: string; json: boolean }>();

const tell = (line: string) => process.stderr.write(`${line}\n`);
tell(`seed ${seed}`);
const report = await chaos({
  seconds: 60 * minutes,
  once: false,
  seed,
  breaks: !planned,
  pauseMs: PAUSE_MS,
  tell,
  ...(log === undefined ? {} : { keepLog: (text) => writeFileSync(log, text) }),
});
const actions = Object.fromEntries(report.actions);
if (json) {
  const result = { seed, visits: report.byKind(), actions, complaints: report.complaints() };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
} else {
  console.table(report.byKind());
  console.table(Object.fromEntries(Object.entries(actions).map(([name, times]) => [name, { times }])));
  for (const complaint of report.complaints()) console.log(`FAILED ${complaint}`);
  console.log(report.isClean ? 'clean' : `not clean; again with --seed ${seed}`);
}
process.exitCode = report.isClean ? 0 : 1;
