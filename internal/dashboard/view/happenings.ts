import type { AlertView } from '../../model/alert-view.ts';
import type { EventView } from '../../model/event-view.ts';
import { printable } from '../../model/printable.ts';
import type { Tone } from '../standing.ts';

/** One line of the timeline. */
export interface Happening {
  readonly key: string;
  /** ISO 8601. */
  readonly at: string;
  readonly tone: Tone;
  /** What kind of thing, such as `instance.ready` or `alert`. */
  readonly kind: string;
  readonly text: string;
  readonly service: string | null;
  readonly instance: string | null;
}

const BAD = /\.(start-failed|restart-failed|exited|crash-loop|lost|down|expired|failed|refused)$/;
const WARN = /\.(ejected|replaced|rolled-back|skipped|paused|draining)$/;
const GOOD = /\.(ready|readmitted|announced|up|succeeded|resumed)$/;

/** Events, and the beginnings and ends of alerts, newest first. @param words - in lower case; each line holds them. */
export function happeningsOf(events: readonly EventView[], alerts: readonly AlertView[], words = ''): Happening[] {
  return [...events.map(ofEvent), ...alerts.flatMap(ofAlert)]
    .filter(({ kind, text, service, instance }) =>
      `${kind} ${text} ${service} ${instance}`.toLowerCase().includes(words),
    )
    .toSorted((a, b) => b.at.localeCompare(a.at));
}

function ofEvent({ id, at, type, service, instanceId, message }: EventView): Happening {
  return {
    key: `event ${id}`,
    at,
    tone: toneOf(type),
    kind: type,
    text: printable(message),
    service,
    instance: instanceId,
  };
}

function ofAlert({ id, since, resolvedAt, title, severity, service, instance }: AlertView): Happening[] {
  const tone: Tone = severity === 'critical' ? 'bad' : severity === 'warning' ? 'warn' : 'busy';
  const common = { service, instance, kind: 'alert' };
  const text = printable(title);
  const begun = { ...common, key: `alert ${id}`, at: since, tone, text };
  if (resolvedAt === null) return [begun];
  return [{ ...common, key: `alert ${id} over`, at: resolvedAt, tone: 'good', text: `over: ${text}` }, begun];
}

function toneOf(type: string): Tone {
  if (BAD.test(type)) return 'bad';
  if (WARN.test(type)) return 'warn';
  return GOOD.test(type) ? 'good' : 'idle';
}
