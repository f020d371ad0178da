import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isInstalled } from './installed.ts';
import { planCores } from './core-plan.ts';
import { type Options, parseOptions } from './options.ts';
import { renderMarkdown, renderText } from './report/text.ts';
import { runAll } from './run-all.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs', 'benchmarks.md');

const options = parseOptions(process.argv);
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => ending.abort(new Error(`ended by ${signal}`)));

try {
  await main(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main({ json, writeDocs, ...what }: Options): Promise<void> {
  if (!isInstalled('wrk')) throw new Error('the load comes from wrk, which is not installed: apt-get install wrk');
  const plan = planCores(isInstalled('taskset') ? availableParallelism() : 1);
  // The benchmark opens connections itself: they are load too.
  if (plan.load !== null) execFileSync('taskset', ['-a', '-c', '-p', plan.load, String(process.pid)]);
  const tell = (text: string) => process.stderr.write(`${text}\n`);
  const report = await runAll(what, plan, ending.signal, tell);
  const text = JSON.stringify(report, null, 2);
  process.stdout.write(json === '-' ? `${text}\n` : renderText(report));
  if (json !== undefined && json !== '-') await writeFile(json, text);
  if (writeDocs) await writeFile(DOCS, renderMarkdown(report));
}
