import type { LiveState } from '../../../internal/model/live.ts';
import { cut } from '../terminal/cut.ts';
import type { Paint } from '../terminal/paint.ts';
import { firstLine } from '../terminal/printable.ts';
import { ageText } from '../terminal/units.ts';
import { fitted } from './columns.ts';
import { chosenOf } from './order.ts';
import { instanceColumns, serviceColumns, TITLE_OF } from './top-columns.ts';
import { SORT_NAMES, SORTS, type TopView } from './view.ts';

/** What is around the picture. */
export interface Surroundings {
  readonly columns: number;
  /** Infinity: as many lines as there are, and nobody who presses keys. */
  readonly rows: number;
  /** Why the picture is an old one; null: it is not. */
  readonly stale: string | null;
  readonly paint: Paint;
}

export interface Picture {
  readonly lines: readonly string[];
  /** How many instances there is room for. */
  readonly page: number;
  /** From here on, the last instance is shown. */
  readonly last: number;
}

const SHOWN_ALERTS = 3;
/** Lower terminals have no room for alerts. */
const ROWS_FOR_ALERTS = 16;
const KEYS = ['q quit', '/ filter', 'R reverse', ...SORT_NAMES.map((sort) => `${SORTS[sort]} ${sort}`)].join('  ');

/** A picture of everything in as many lines as there is room for. */
export function topText(state: LiveState, view: TopView, { columns, rows, stale, paint }: Surroundings): Picture {
  const isEndless = rows === Infinity;
  const services = capped(fitted(serviceColumns(paint), state.services, columns, paint), Math.floor(rows / 3));
  const above = [headLine(state, stale, paint), '', ...services, ''];
  const alerts = rows < ROWS_FOR_ALERTS ? [] : alertLines(state, paint);
  const below = isEndless ? alerts : [...alerts, footLine(view, paint)];
  const page = Math.max(1, rows - above.length - below.length - 2);
  const chosen = chosenOf(state.instances, view);
  const last = Math.max(0, chosen.length - page);
  const offset = Math.min(view.offset, last);
  const shown = chosen.slice(offset, offset + page);
  const table = fitted(instanceColumns(paint, state.at), shown, columns, paint, TITLE_OF[view.sort]);
  const rest = shown.length === chosen.length ? '' : `${offset + 1} to ${offset + shown.length} of ${chosen.length}`;
  const lines = [...above, ...table, paint('dim', rest), ...below];
  return { lines: lines.slice(0, rows).map((line) => cut(line, columns)), page, last };
}

function headLine(state: LiveState, stale: string | null, paint: Paint): string {
  const { at, version, revision, loadBalancers, instances, alerts } = state;
  const alive = loadBalancers.filter((balancer) => balancer.alive).length;
  const active = alerts.filter((alert) => alert.state === 'active').length;
  const parts = [
    paint('bold', `heimdall ${version}`),
    new Date(at).toTimeString().slice(0, 8),
    counted(instances.length, 'instance'),
    alive === 0 ? paint('red', '✖ no load balancer') : counted(alive, 'load balancer'),
    active === 0 ? 'no alerts' : paint('red', `✖ ${counted(active, 'alert')}`),
    ...(revision === null ? [paint('red', '✖ the registry cannot be read')] : []),
    ...(stale === null ? [] : [paint('inverse', ` ${stale} `)]),
  ];
  return parts.join('  ');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function footLine({ filter, isTyping, sort, isReversed }: TopView, paint: Paint): string {
  if (isTyping) return `filter: ${filter}${paint('inverse', ' ')}  (Enter keeps it, Esc drops it)`;
  const chosen = [`by ${sort}${isReversed ? ', reversed' : ''}`, ...(filter === '' ? [] : [`filter "${filter}"`])];
  return paint('dim', `${chosen.join(', ')}   ${KEYS}`);
}

function alertLines({ alerts, at }: LiveState, paint: Paint): readonly string[] {
  const active = alerts.filter(({ state }) => state === 'active');
  const lines = active.slice(0, SHOWN_ALERTS).map(({ severity, title, since, silenced }) => {
    const style = severity === 'critical' ? 'red' : severity === 'warning' ? 'yellow' : 'blue';
    const note = silenced ? ' (silenced)' : '';
    return paint(style, `✖ ${severity} for ${ageText(since, Date.parse(at))}: ${firstLine(title)}${note}`);
  });
  const more = active.length - lines.length;
  return more > 0 ? [...lines, paint('dim', `  and ${more} more: heimdall alerts list`)] : lines;
}

/** At most so many lines, at least three; the last tells of what is left out. */
function capped(lines: readonly string[], most: number): readonly string[] {
  const limit = Math.max(3, most);
  if (lines.length <= limit) return lines;
  return [...lines.slice(0, limit - 1), `and ${lines.length - limit + 1} more services`];
}
