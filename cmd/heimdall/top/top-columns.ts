import type { LiveInstance, LiveService, Traffic } from '../../../internal/model/live.ts';
import { figure } from '../figure.ts';
import { stateText } from '../operate/services-text.ts';
import { markedHealth, markedStatus } from '../terminal/mark.ts';
import type { Paint } from '../terminal/paint.ts';
import { firstLine } from '../terminal/printable.ts';
import { ageText, sizeText, timeText } from '../terminal/units.ts';
import type { Column } from './columns.ts';
import type { Sort } from './view.ts';

/** The titles of the columns that instances are ordered by. */
export const TITLE_OF: Readonly<Record<Sort, string | null>> = {
  service: null,
  id: 'instance',
  rps: 'req/s',
  errors: 'err %',
  p99: 'p99',
  'in-flight': 'in flight',
  cpu: 'cpu %',
  memory: 'memory',
  restarts: 'restarts',
};

export function serviceColumns(paint: Paint): readonly Column<LiveService>[] {
  return [
    { title: 'service', cell: ({ name }) => name, isText: true, worth: 10 },
    { title: 'state', cell: (service) => stateText(service, paint), isText: true, worth: 9 },
    {
      title: 'running',
      cell: ({ running, declared, desired, announced }) => `${running + declared}/${desired + declared + announced}`,
      worth: 6,
    },
    ...trafficColumns<LiveService>(paint),
    { title: 'waiting', cell: ({ waiting }) => String(waiting), worth: 3 },
    { title: 'version', cell: ({ version }) => firstLine(version ?? '-'), isText: true, worth: 0 },
  ];
}

/** @param at - when the picture was taken, in ISO 8601. */
export function instanceColumns(paint: Paint, at: string): readonly Column<LiveInstance>[] {
  return [
    { title: 'instance', cell: ({ id }) => id, isText: true, worth: 10 },
    { title: 'status', cell: (instance) => statusText(instance, at, paint), isText: true, worth: 9 },
    { title: 'health', cell: ({ health }) => markedHealth(health, paint), isText: true, worth: 6 },
    ...trafficColumns<LiveInstance>(paint),
    { title: 'cpu %', cell: ({ cpu }) => (cpu === undefined ? '-' : cpu.toFixed(1)), worth: 7 },
    { title: 'memory', cell: ({ memory }) => sizeText(memory), worth: 4 },
    { title: 'restarts', cell: ({ restarts }) => String(restarts), worth: 3 },
    { title: 'since', cell: ({ startedAt }) => ageText(startedAt, Date.parse(at)), worth: -1 },
    { title: 'version', cell: ({ version }) => firstLine(version ?? '-'), isText: true, worth: 0 },
  ];
}

/** Times are milliseconds. */
function trafficColumns<T extends { readonly traffic: Traffic }>(paint: Paint): readonly Column<T>[] {
  return [
    { title: 'req/s', cell: ({ traffic }) => figure(traffic.rps), worth: 8 },
    { title: 'err %', cell: ({ traffic }) => errorText(traffic.errorRate, paint), worth: 5 },
    { title: 'p50', cell: ({ traffic }) => figure(traffic.p50), worth: 2 },
    { title: 'p95', cell: ({ traffic }) => figure(traffic.p95), worth: 1 },
    { title: 'p99', cell: ({ traffic }) => figure(traffic.p99), worth: 5 },
    { title: 'in flight', cell: ({ traffic }) => String(traffic.inFlight), worth: 4 },
  ];
}

function errorText(rate: number | null, paint: Paint): string {
  if (rate === null || rate === 0) return rate === null ? '-' : '0';
  return paint('red', figure(rate * 100));
}

/** While it drains, how many requests are left, and how much time they have. */
function statusText({ status, drain }: LiveInstance, at: string, paint: Paint): string {
  const text = markedStatus(status, paint);
  if (drain === null) return text;
  return `${text} ${drain.inFlight} left, ${timeText(Date.parse(drain.until) - Date.parse(at))}`;
}
