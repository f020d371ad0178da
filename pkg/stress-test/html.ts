import { failedPercent } from './compare.ts';
import { BAR_ENDS, type Latency, type StressReport } from './report.ts';

const WIDTH = 720;
const HEIGHT = 160;

const STYLE = `body{font:15px system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color-scheme:light dark}
table{border-collapse:collapse}th,td{padding:.2em .8em;text-align:right}th:first-child,td:first-child{text-align:left}
svg{width:100%;height:auto}polyline{fill:none;stroke-width:2}text{font-size:11px;fill:currentColor}
.a{stroke:#2a7de1;fill:#2a7de1}.b{stroke:#e1742a;fill:#e1742a}.bar{stroke:none}`;

/** One page for a browser, which needs nothing else. */
export function htmlReport(report: StressReport): string {
  const { url, method, seconds, connections, rate, startedAt, throughput, answers, timeline } = report;
  const pace = rate === null ? 'as fast as they were answered' : `${rate} requests/s`;
  const series = (of: (second: (typeof timeline)[number]) => number) => timeline.map(of);
  const counts = Object.entries({ ...report.statuses, ...report.errors });
  const rows = [
    latencyRow('latency', report.latency),
    latencyRow('from sending', report.service),
    ...Object.entries(report.by?.values ?? {}).map(([value, { latency }]) => latencyRow(value, latency)),
  ];
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>heimdall stress ${escaped(url)}</title>
<style>${STYLE}</style>
<h1>${escaped(`${method} ${url}`)}</h1>
<p>${escaped(startedAt)}: ${seconds} s over ${connections} connections, ${pace}${report.wasInterrupted ? ', interrupted' : ''}.
${answers} answers, ${throughput}/s; ${failedPercent(report).toFixed(2)} % failed.</p>
<h2>Latency, ms</h2>${table(['', 'count', 'mean', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max'], rows)}
<h2>Requests by latency</h2>${bars(report.bars)}
<h2>Answers each second</h2>${lines([['a', 'answers/s', series((second) => second.answers)]])}
<h2>Latency over time, ms</h2>${lines([
    ['a', 'p50', series((second) => second.p50)],
    ['b', 'p99', series((second) => second.p99)],
  ])}
<h2>Outcomes</h2>${table(
    ['', 'requests'],
    counts.map(([name, count]) => [name, String(count)]),
  )}
</html>
`;
}

function latencyRow(name: string, { count, mean, p50, p90, p95, p99, p999, max }: Latency): string[] {
  return [name, String(count), ...[mean, p50, p90, p95, p99, p999, max].map((value) => value.toFixed(2))];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${row(head, 'th')}${rows.map((cells) => row(cells, 'td')).join('')}</table>`;
}

function bars(counts: readonly number[]): string {
  const most = Math.max(1, ...counts);
  const step = WIDTH / counts.length;
  const drawn = counts.map((count, n) => {
    const height = (HEIGHT * count) / most;
    const end = BAR_ENDS[n];
    const name = end === undefined ? `> ${BAR_ENDS.at(-1)}` : `≤ ${end}`;
    return (
      `<rect class="a bar" x="${(n * step + 1).toFixed(1)}" y="${(HEIGHT - height).toFixed(1)}" width="${(step - 2).toFixed(1)}" ` +
      `height="${height.toFixed(1)}"><title>${count} requests ${escaped(name)} ms</title></rect>` +
      `<text x="${((n + 0.5) * step).toFixed(1)}" y="${HEIGHT + 14}" text-anchor="middle">${end ?? 'more'}</text>`
    );
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT + 20}" role="img" aria-label="histogram">${drawn.join('')}</svg>`;
}

function lines(series: readonly (readonly [style: string, name: string, values: readonly number[]])[]): string {
  const most = Math.max(0.001, ...series.flatMap(([, , values]) => values));
  const drawn = series.map(([style, name, values], n) => {
    const x = (index: number) => (WIDTH * index) / Math.max(1, values.length - 1);
    const ends = values.length === 1 ? [...values, ...values] : values; // one second is a line, too
    const points = ends.map(
      (value, index) => `${x(index).toFixed(1)},${(HEIGHT - (HEIGHT * value) / most).toFixed(1)}`,
    );
    const legend = `<text class="bar" x="${n * 120}" y="${HEIGHT + 14}">${n === 0 ? '—' : '- -'} ${escaped(name)}</text>`;
    const dashes = n === 0 ? '' : ' stroke-dasharray="6 3"';
    return `<polyline class="${style}" style="fill:none"${dashes} points="${points.join(' ')}"/>${legend}`;
  });
  const scale = `<text x="${WIDTH}" y="11" text-anchor="end">${Number(most.toFixed(2))}</text>`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT + 20}" role="img" aria-label="over time">${drawn.join('')}${scale}</svg>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
