import type { EventView } from '../../../internal/model/event-view.ts';
import type { Paint } from '../terminal/paint.ts';
import { firstLine } from '../terminal/printable.ts';
import { clockText } from '../terminal/units.ts';

/** As wide as `deployment.rolled-back`. */
const TYPE_WIDTH = 22;
const BAD = /failed|crash|lost|ejected|rolled-back|refused|exited/;

/** One event in a line. @param now - epoch milliseconds. */
export function eventText({ at, type, message }: EventView, paint: Paint, now: number): string {
  const name = type.padEnd(TYPE_WIDTH);
  return `${paint('dim', clockText(at, now))}  ${BAD.test(type) ? paint('red', name) : name}  ${firstLine(message)}\n`;
}
