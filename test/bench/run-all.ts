import type { Pace } from './bench.ts';
import type { Candidate } from './candidates/candidate.ts';
import type { BenchmarkCase } from './cases/case.ts';
import type { CorePlan } from './core-plan.ts';
import { FreePorts } from './free-ports.ts';
import { isInstalled } from './installed.ts';
import { describeMachine } from './report/machine.ts';
import type { Report } from './report/report.ts';
import { judge } from './report/targets.ts';
import type { CaseResult } from './result.ts';
import { type Progress, runCase } from './run-case.ts';
import { Workshop } from './workshop.ts';

export interface Selection {
  readonly cases: readonly BenchmarkCase[];
  readonly candidates: readonly Candidate[];
  readonly pace: Pace;
}

/**
 * Runs the cases one after the other, each with processes and a folder of its own.
 * @throws what the signal was aborted with; nothing of the run is left then.
 */
export async function runAll(
  { cases, candidates, pace }: Selection,
  plan: CorePlan,
  signal: AbortSignal,
  tell: Progress,
): Promise<Report> {
  const date = new Date().toISOString();
  const present = candidates.filter(({ program }) => program === undefined || isInstalled(program));
  const missing = candidates.filter((candidate) => !present.includes(candidate)).map(({ name }) => name);
  const machine = describeMachine(present);
  const ports = new FreePorts();
  const results: CaseResult[] = [];
  for (const [index, which] of cases.entries()) {
    await using workshop = await Workshop.open(signal);
    const progress = (text: string) => tell(`[${index + 1}/${cases.length} ${which.name}] ${text}`);
    results.push(await runCase({ workshop, ports, plan, pace, candidates: present }, which, progress));
  }
  return { date, machine, cores: plan, pace, missing, cases: results, targets: judge(results, plan.twoCoresFree) };
}
