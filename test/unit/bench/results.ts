import type { Sample } from '../../bench/cases/case.ts';
import type { CaseResult } from '../../bench/result.ts';

/** The result of a case with these medians; all rows are compared with `haproxy`, by CPU. */
export function resultOf(name: string, medians: Readonly<Record<string, Sample | null>>): CaseResult {
  return {
    name,
    title: `case ${name}`,
    columns: [
      { metric: 'requestsPerSecond', title: 'requests/s', digits: 0 },
      { metric: 'cpuUs', title: 'CPU', digits: 1 },
    ],
    ratio: { metric: 'cpuUs', title: 'CPU × HAProxy' },
    problem: null,
    rows: Object.entries(medians).map(([subject, median]) => ({
      subject,
      baseline: 'haproxy',
      median,
      samples: median === null ? [] : [median],
      problems: median === null ? ['could not start'] : [],
    })),
  };
}
