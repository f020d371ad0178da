import { type AlertRecord, isSilenced, type Silence } from '../../pkg/alerts/book.ts';
import type { AlertView, SilenceView } from '../model/alert-view.ts';

/** An alert as the API shows it. @param now - epoch milliseconds. */
export function alertView(
  { id, alert, resolvedAt, announced, acknowledgement }: AlertRecord,
  silences: readonly Silence[],
  now: number,
): AlertView {
  const { key, severity, title, cause, service, instance, node, at } = alert;
  return {
    id,
    key,
    state: resolvedAt === null ? 'active' : 'resolved',
    severity,
    title,
    cause: cause ?? null,
    service: service ?? null,
    instance: instance ?? null,
    node: node ?? null,
    since: timeOf(at),
    resolvedAt: resolvedAt === null ? null : timeOf(resolvedAt),
    durationMs: Math.round((resolvedAt ?? now) - at),
    announced,
    silenced: resolvedAt === null && isSilenced(alert, silences, now),
    acknowledged: acknowledgement && { ...acknowledgement, at: timeOf(acknowledgement.at) },
  };
}

/** A silence as the API shows it. */
export function silenceView({ id, match, createdAt, until, by, comment }: Silence): SilenceView {
  return { id, match, createdAt: timeOf(createdAt), until: timeOf(until), by, comment };
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}
