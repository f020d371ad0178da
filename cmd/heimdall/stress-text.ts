import type { Comparison } from '../../pkg/stress-test/compare.ts';
import { BAR_ENDS, type Latency, type StressReport } from '../../pkg/stress-test/report.ts';
import type { Progress } from '../../pkg/stress-test/run-load.ts';
import { aligned } from './aligned.ts';
import { figure } from './figure.ts';
import { printable } from '../../internal/model/printable.ts';

const BLOCKS = '▁▂▃▄▅▆▇█';
const BAR_WIDTH = 50;
const MOST_DONE_WIDTH = 20;
const LEAST_DONE_WIDTH = 5;
/** Longer values of the header are cut: they would push the numbers off the screen. */
const VALUE_WIDTH = 60;
/** From that part of its time on it may be this tool that was too slow. */
const BUSY = 0.9;

/** One line, for a terminal so wide: how far it is, the last second, and all latencies as a histogram. */
export function progressLine({ done, answers, failures, second, bars }: Progress, columns: number): string {
  const { from, to } = range(bars);
  const most = Math.max(1, ...bars);
  const blocks = bars.slice(from, to).map((count) => BLOCKS[Math.ceil((count / most) * (BLOCKS.length - 1))] ?? '');
  const ends =
    to === 0 ? '' : `  ${from === 0 ? 0 : BAR_ENDS[from - 1]} ${blocks.join('')} ${BAR_ENDS[to - 1] ?? 'more'} ms`;
  const figures = `${answers} answers, ${failures} failed; ${figure(second.answers)}/s, p99 ${figure(second.p99)} ms${ends}`;
  const width = Math.max(LEAST_DONE_WIDTH, Math.min(MOST_DONE_WIDTH, columns - figures.length - '[] '.length));
  const filled = Math.round(done * width);
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${figures}`.slice(0, columns);
}

/** What became of a run, for people. */
export function stressText(report: StressReport): string {
  const { method, url, seconds, connections, rate, answers, throughput, statuses, errors } = report;
  const pace = rate === null ? 'each sends when it has an answer' : `${figure(rate)} requests/s`;
  const counts = Object.entries({ ...statuses, ...errors }).map(([name, count]) => `  ${printable(name)}: ${count}\n`);
  const values = Object.entries(report.by?.values ?? {});
  const shares = values.map(([value, { answers: own, latency }]) => [
    printable(value).slice(0, VALUE_WIDTH),
    ((100 * own) / answers).toFixed(1),
    ...latencyCells(latency),
  ]);
  const parts = [
    `${method} ${url}: ${seconds} s over ${connections} connections, ${pace}${report.wasInterrupted ? '; interrupted' : ''}\n` +
      `${answers} answers, ${throughput}/s\n${counts.join('')}`,
    aligned([
      ['ms', 'requests', 'mean', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max'],
      ['latency', ...latencyCells(report.latency)],
      ...(rate === null ? [] : [['from sending', ...latencyCells(report.service)]]),
    ]),
    histogram(report.bars),
    ...(report.by === null
      ? []
      : [aligned([[report.by.header, '%', 'answers', 'mean', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max'], ...shares])]),
    ...(report.generatorBusy < BUSY
      ? []
      : [
          `This tool was busy for ${(100 * report.generatorBusy).toFixed(0)} % of the time: it may be slower than what it measures.\n`,
        ]),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

export function comparisonText({ figures, differences, isWorse }: Comparison, file: string, limit: number): string {
  const rows = figures.map(({ name, before, now, isWorse }) => [
    name,
    figure(before),
    figure(now),
    before === 0 ? '-' : `${now < before ? '−' : '+'}${Math.abs(100 * (now / before - 1)).toFixed(1)} %`,
    isWorse ? 'worse' : '',
  ]);
  const notes = differences.map((difference) => `  not the same run: ${difference}\n`);
  const verdict = isWorse ? `Worse by more than ${figure(limit * 100)} %.\n` : '';
  return `${aligned([[file, 'before', 'now', 'change', ''], ...rows])}${notes.join('')}${verdict}`;
}

function latencyCells({ count, mean, p50, p90, p95, p99, p999, max }: Latency): string[] {
  return [String(count), ...[mean, p50, p90, p95, p99, p999, max].map(figure)];
}

function histogram(bars: readonly number[]): string {
  const { from, to } = range(bars);
  const most = Math.max(1, ...bars);
  const rows = bars.slice(from, to).map((count, n) => {
    const end = BAR_ENDS[from + n];
    return [
      end === undefined ? 'more' : `to ${end}`,
      String(count),
      '#'.repeat(Math.ceil((BAR_WIDTH * count) / most)).padEnd(BAR_WIDTH),
    ];
  });
  return rows.length === 0 ? '' : aligned(rows);
}

/** The bars from the first to the last that is not empty; `to` is 0 when all are. */
function range(bars: readonly number[]): { readonly from: number; readonly to: number } {
  return {
    from: Math.max(
      0,
      bars.findIndex((count) => count > 0),
    ),
    to: bars.findLastIndex((count) => count > 0) + 1,
  };
}
