import type { Bench } from './bench.ts';
import type { BenchmarkCase, Column, Sample, Subject } from './cases/case.ts';
import type { CaseResult, Row } from './result.ts';
import { median } from './statistics.ts';

/** Told of what has just been done. */
export type Progress = (text: string) => void;

interface Turns {
  readonly subject: Subject;
  /** Null when it could not start. */
  readonly measure: (() => Promise<Sample>) | null;
  readonly samples: Sample[];
  readonly problems: string[];
}

/**
 * Starts all subjects of a case, then measures them in turns, so that whatever the machine does besides meets all alike.
 * What fails is told in the result; only the end of the run is thrown.
 */
export async function runCase(bench: Bench, which: BenchmarkCase, progress: Progress): Promise<CaseResult> {
  const { name, title, columns, ratio, turns: perRound = 1, rounds = bench.pace.rounds * perRound } = which;
  const shown = [columns[0], columns.find(({ metric }) => metric === ratio.metric) ?? ratio].filter(
    (column) => column !== undefined,
  );
  const turns: Turns[] = [];
  let problem: string | null = null;
  try {
    for (const subject of await which.subjects(bench)) turns.push(await start(bench, subject, progress));
  } catch (error) {
    bench.workshop.signal.throwIfAborted();
    problem = messageOf(bench, error);
    progress(`cannot run: ${problem}`);
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const turn of turns) {
      if (turn.measure === null) continue;
      const told = await takeTurn(bench, turn, turn.measure, shown);
      progress(`round ${round}/${rounds}  ${turn.subject.name.padEnd(34)} ${told}`);
    }
  }
  return { name, title, columns, ratio, problem, rows: turns.map(toRow) };
}

async function start(bench: Bench, subject: Subject, progress: Progress): Promise<Turns> {
  try {
    return { subject, measure: await subject.start(), samples: [], problems: [] };
  } catch (error) {
    bench.workshop.signal.throwIfAborted();
    const problem = `could not start: ${messageOf(bench, error)}`;
    progress(`${subject.name} ${problem}`);
    return { subject, measure: null, samples: [], problems: [problem] };
  }
}

/** @returns what to tell of it. */
async function takeTurn(
  bench: Bench,
  { samples, problems }: Turns,
  measure: () => Promise<Sample>,
  told: readonly (Omit<Column, 'digits'> & Partial<Column>)[],
): Promise<string> {
  try {
    const sample = await measure();
    samples.push(sample);
    return told.map(({ metric, title, digits = 2 }) => `${sample[metric]?.toFixed(digits)} ${title}`).join(', ');
  } catch (error) {
    bench.workshop.signal.throwIfAborted();
    const problem = messageOf(bench, error);
    problems.push(problem);
    return `does not count: ${problem}`;
  }
}

function toRow({ subject: { name, baseline }, samples, problems }: Turns): Row {
  const [first] = samples;
  const metrics = Object.keys(first ?? {});
  const medianOf = (metric: string) => median(samples.map((sample) => sample[metric] ?? Number.NaN));
  const all = first ? Object.fromEntries(metrics.map((metric) => [metric, medianOf(metric)])) : null;
  return { subject: name, baseline, median: all, samples, problems };
}

/** Without the temporary folder, which tells nobody anything. */
function messageOf({ workshop }: Bench, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(`${workshop.folder}/`, '');
}
