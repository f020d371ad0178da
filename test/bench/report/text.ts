import type { CaseResult } from '../result.ts';
import { circumstances, type Report } from './report.ts';
import { caseTable, type Table, targetTable, toMarkdown, toText } from './table.ts';

/** For the terminal. */
export function renderText(report: Report): string {
  const cases = report.cases.map((result) =>
    [`${result.title} (${result.name})`, '', body(result, toText), ...problems(result).map((line) => `  ${line}`)].join(
      '\n',
    ),
  );
  return [
    ...circumstances(report),
    '',
    ...cases.flatMap((text) => [text, '']),
    toText(targetTable(report.targets)),
    '',
  ].join('\n');
}

/** For `docs/benchmarks.md`. */
export function renderMarkdown(report: Report): string {
  const { machine, date } = report;
  const about = [
    `- Date: ${date.slice(0, 10)}`,
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.kernel}; load before: ${machine.loadBefore.toFixed(2)}`,
    `- Node: ${machine.node}`,
    ...machine.peers.map((peer) => `- ${peer}`),
    ...circumstances(report).map((line) => `- ${line}`),
  ];
  const cases = report.cases.flatMap((result) => [
    `## ${result.title}`,
    body(result, toMarkdown),
    ...(problems(result).length > 0
      ? [
          problems(result)
            .map((line) => `- ${line}`)
            .join('\n'),
        ]
      : []),
  ]);
  const intro =
    'Written by `npm run bench -- --write-docs`; what each case does and how to read it: [test/bench/README.md](../test/bench/README.md).';
  const targets = toMarkdown(targetTable(report.targets));
  return `${['# Benchmarks', intro, about.join('\n'), '## Targets', targets, ...cases].join('\n\n')}\n`;
}

function body(result: CaseResult, render: (table: Table) => string): string {
  return result.problem === null ? render(caseTable(result)) : `Not run: ${result.problem}`;
}

function problems({ rows }: CaseResult): readonly string[] {
  return rows.flatMap(({ subject, problems }) => problems.map((problem) => `${subject}: ${problem}`));
}
