import { Command, InvalidArgumentError, Option } from 'commander';
import type { Pace } from './bench.ts';
import { CANDIDATES } from './candidates/all.ts';
import type { Candidate } from './candidates/candidate.ts';
import { CASES } from './cases/all.ts';
import type { BenchmarkCase } from './cases/case.ts';

const FULL: Pace = { rounds: 3, warmUpSeconds: 3, windowSeconds: 4, recoverySeconds: 10 };
const QUICK: Pace = { rounds: 1, warmUpSeconds: 1, windowSeconds: 2, recoverySeconds: 6 };

/** What the command line asks for. */
export interface Options {
  readonly cases: readonly BenchmarkCase[];
  readonly candidates: readonly Candidate[];
  readonly pace: Pace;
  /** Where the JSON goes; `-`: standard output, in place of the tables. */
  readonly json?: string;
  readonly writeDocs: boolean;
}

interface Flags {
  readonly case: readonly BenchmarkCase[];
  readonly candidates: readonly Candidate[];
  readonly quick: boolean;
  readonly rounds?: number;
  readonly json?: string;
  readonly writeDocs: boolean;
}

/** Ends the process after `--help`, or with a message when the arguments are wrong. */
export function parseOptions(argv: readonly string[]): Options {
  const {
    case: cases,
    quick,
    rounds,
    ...rest
  } = new Command('bench')
    .description('Compares the engines with other proxies: requests/s, latency, CPU per request and memory.')
    .addOption(selection('--case <names>', 'cases, with commas between them', CASES))
    .addOption(selection('--candidates <names>', 'proxies, with commas between them', CANDIDATES))
    .option('--quick', 'one round with short windows: to see that it works, not to compare', false)
    .option('--rounds <n>', 'how many times every candidate has its turn', toRounds)
    .option('--json <file>', 'write the numbers as JSON; "-": to standard output, in place of the tables')
    .option('--write-docs', 'write docs/benchmarks.md', false)
    .parse(argv)
    .opts<Flags>();
  const pace = quick ? QUICK : FULL;
  return { ...rest, cases, pace: { ...pace, rounds: rounds ?? pace.rounds } };
}

function selection(flags: string, text: string, all: readonly { readonly name: string }[]): Option {
  const names = all.map(({ name }) => name).join(', ');
  return new Option(flags, `${text}: ${names}`).default(all, 'all').argParser((list: string) =>
    list.split(',').map((name) => {
      const found = all.find((one) => one.name === name);
      if (!found) throw new InvalidArgumentError(`There is no "${name}", only: ${names}.`);
      return found;
    }),
  );
}

function toRounds(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1 to 99.');
  return Number(text);
}
