import { constants } from 'node:fs';
import { access, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../../internal/model/errors.ts';
import { type Comparison, compare } from '../../pkg/stress-test/compare.ts';
import { htmlReport } from '../../pkg/stress-test/html.ts';
import { type StressReport, StressReportSchema } from '../../pkg/stress-test/report.ts';
import { type Progress, runLoad } from '../../pkg/stress-test/run-load.ts';
import { UsageError } from './command-error.ts';
import { EXIT } from './exit-codes.ts';
import { limitOf, planOf, type StressArguments } from './stress-plan.ts';
import { comparisonText, progressLine, stressText } from './stress-text.ts';

/**
 * `heimdall stress`: puts load on a URL and tells what became of it. Ctrl-C ends it early, with the report so far; a second one at once.
 * Exit codes: 0 done, 1 nothing was answered, or worse than the run to compare with, or a file cannot be written; 2 wrong usage.
 */
export async function stress(target: string, given: StressArguments): Promise<void> {
  process.exitCode = (await stressed(target, given)) ? EXIT.done : EXIT.failed;
}

async function stressed(target: string, given: StressArguments): Promise<boolean> {
  const plan = planOf(target, given);
  const limit = limitOf(given.limit);
  const files = given.report ?? [];
  for (const file of files) await expectWritable(file);
  const earlier = given.compare === undefined ? null : await earlierReport(given.compare);
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const report = await runLoad(plan, { signal: interrupt.signal, onProgress: showProgress });
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const comparison = earlier === null ? null : compare(earlier, report, limit);
  process.stdout.write(given.json ? toJson(report, comparison) : stressText(report));
  if (comparison !== null && !given.json)
    process.stdout.write(`\n${comparisonText(comparison, given.compare ?? '', limit)}`);
  for (const file of files) await writeFile(file, rendererOf(file)(report));
  return report.answers > 0 && comparison?.isWorse !== true;
}

function showProgress(progress: Progress): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\x1b[K${progressLine(progress, process.stderr.columns - 1)}`);
}

async function earlierReport(file: string): Promise<StressReport> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    return StressReportSchema.parse(content);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? messageOf(error) : 'it is none';
    throw new UsageError(`--compare ${file}: expected a report that --report FILE.json has written (${why})`);
  }
}

/** Before the run: its report shall not be lost for a wrong path. */
async function expectWritable(file: string): Promise<void> {
  rendererOf(file);
  try {
    await access(dirname(file), constants.W_OK);
  } catch (error) {
    throw new UsageError(`--report ${file}: ${messageOf(error)}`);
  }
}

function rendererOf(file: string): (report: StressReport) => string {
  if (file.endsWith('.json')) return (report) => toJson(report, null);
  if (file.endsWith('.html')) return htmlReport;
  throw new UsageError(`--report ${file}: expected a name that ends in .json or .html`);
}

function toJson(report: StressReport, comparison: Comparison | null): string {
  return `${JSON.stringify(comparison === null ? report : { ...report, comparison }, null, 2)}\n`;
}
