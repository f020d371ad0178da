import type { Paint } from '../terminal/paint.ts';
import type { Finding, Level } from './finding.ts';

const COLOURS = { well: 'green', hint: 'cyan', warning: 'yellow', broken: 'red' } as const;
const LEVELS = ['broken', 'warning', 'hint', 'well'] as const satisfies readonly Level[];
const LEVEL_WIDTH = Math.max(...LEVELS.map((level) => level.length));

/** One line for each finding, and one below it that says what to do; then how many there are of each level. */
export function doctorText(findings: readonly Finding[], paint: Paint): string {
  const width = Math.max(...findings.map(({ about }) => about.length));
  const lines = findings.flatMap(({ level, about, message, advice }) => [
    `${paint(COLOURS[level], level.padEnd(LEVEL_WIDTH))}  ${about.padEnd(width)}  ${message}`,
    ...(advice === undefined ? [] : [`${' '.repeat(LEVEL_WIDTH + width + 4)}→ ${advice}`]),
  ]);
  const counts = LEVELS.map((level) => [level, findings.filter((finding) => finding.level === level).length] as const);
  const verdict = counts.filter(([, count]) => count > 0).map(([level, count]) => `${count} ${level}`);
  return `${lines.join('\n')}\n\n${verdict.join(', ')}\n`;
}
