import { stripVTControlCharacters } from 'node:util';
import { type Alert, type Notification, type NotificationEntry, SEVERITIES } from './alert.ts';

const SUBJECT_LENGTH = 100;
/** Only a condition that lasts this long, in milliseconds, says so in the subject. */
const WORTH_TELLING_MS = 60_000;

/**
 * Makes one message of several conditions.
 * @param entries - at least one.
 * @param at - epoch milliseconds of the message.
 */
export function renderNotification(entries: readonly NotificationEntry[], at: number, id: string): Notification {
  const sorted = entries.map(cleaned).toSorted((a, b) => rank(a) - rank(b));
  return {
    id,
    at,
    level: sorted.find(({ state }) => state === 'firing')?.alert.severity ?? 'resolved',
    subject: clip(subjectOf(sorted, at), SUBJECT_LENGTH),
    text: sorted.map((entry) => describe(entry, at).join('\n')).join('\n\n'),
    entries: sorted,
  };
}

/** The message that proves a channel works. */
export function renderTest(at: number, id: string): Notification {
  const alert: Alert = { key: 'test', severity: 'info', title: 'Test alert from heimdall', at };
  const cause = 'This channel works. Nothing is wrong.';
  return renderNotification(
    [{ alert: { ...alert, cause }, state: 'firing', resolvedAt: null, occurrences: 1 }],
    at,
    id,
  );
}

/** A message about no condition, such as a daily summary. */
export function renderReport(title: string, text: string, at: number, id: string): Notification {
  const entry = cleaned({
    alert: { key: 'report', severity: 'info', title, cause: text, at },
    state: 'firing',
    resolvedAt: null,
    occurrences: 1,
  });
  const subject = clip(entry.alert.title, SUBJECT_LENGTH);
  return { id, at, level: 'info', subject, text: entry.alert.cause ?? '', entries: [entry] };
}

/** Milliseconds as people say them, in the two largest units: `0.8 s`, `2 min 5 s`, `3 h 4 min`, `2 d`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 9_950) return `${(Math.max(0, milliseconds) / 1_000).toFixed(1).replace('.0', '')} s`;
  const seconds = Math.round(milliseconds / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  const told = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return told.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** Cuts a text to at most `length` UTF-16 units, never through a character; an ellipsis marks the cut. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function rank({ state, alert }: NotificationEntry): number {
  return state === 'resolved' ? SEVERITIES.length : SEVERITIES.indexOf(alert.severity);
}

/** Titles and causes may quote logs and foreign answers: colours, line ends and other control characters go. */
function cleaned(entry: NotificationEntry): NotificationEntry {
  const { title, cause, service, instance, ...rest } = entry.alert;
  return {
    ...entry,
    alert: {
      ...rest,
      title: oneLine(title),
      ...(cause === undefined ? {} : { cause: printable(cause).trim() }),
      ...(service === undefined ? {} : { service: oneLine(service) }),
      ...(instance === undefined ? {} : { instance: oneLine(instance) }),
    },
  };
}

function oneLine(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replaceAll('\t', '  ')
    .replace(/(?!\n)\p{Cc}/gu, '');
}

function subjectOf(entries: readonly NotificationEntry[], at: number): string {
  const [entry] = entries;
  if (entries.length === 1 && entry) {
    if (entry.state === 'resolved') return `Resolved ${after(entry)}: ${entry.alert.title}`;
    const lasted = at - entry.alert.at;
    return `${headline(entry)}${lasted < WORTH_TELLING_MS ? '' : ` for ${formatDuration(lasted)}`}`;
  }
  const firing = entries.filter(({ state }) => state === 'firing').length;
  const resolved = entries.length - firing;
  const counts = [
    ...(firing > 0 ? [`${firing} ${firing === 1 ? 'alert' : 'alerts'}`] : []),
    ...(resolved > 0 ? [`${resolved} resolved`] : []),
  ];
  return `${counts.join(', ')}: ${entries.map(headline).join(', ')}`;
}

function headline(entry: NotificationEntry): string {
  const { title, cause } = entry.alert;
  if (entry.state === 'resolved') return `${title} (resolved ${after(entry)})`;
  return cause ? `${title} (${cause.split('\n', 1)[0]})` : title;
}

function after({ alert, resolvedAt }: NotificationEntry): string {
  return `after ${formatDuration((resolvedAt ?? alert.at) - alert.at)}`;
}

function describe(entry: NotificationEntry, at: number): string[] {
  const { alert, state, resolvedAt, occurrences } = entry;
  const place = [
    ...(alert.service ? [`service ${alert.service}`] : []),
    ...(alert.instance ? [`instance ${alert.instance}`] : []),
  ];
  const time =
    state === 'firing'
      ? `since ${utc(alert.at)} (${formatDuration(at - alert.at)})`
      : `from ${utc(alert.at)} to ${utc(resolvedAt ?? alert.at)}`;
  return [
    state === 'firing' ? `${alert.severity.toUpperCase()}: ${alert.title}` : `RESOLVED ${after(entry)}: ${alert.title}`,
    ...(alert.cause ? alert.cause.split('\n').map((line) => `  ${line}`) : []),
    `  ${[...place, time].join(', ')}`,
    ...(occurrences > 1 ? [`  happened ${occurrences} times since the last message`] : []),
  ];
}

function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
