import { stripVTControlCharacters } from 'node:util';
import { type Alert, type Notification, type NotificationEntry, SEVERITIES } from './alert.ts';
import { type Group, groupAround, sentenceOf } from './group.ts';
import { clip, formatDuration, placedTitle } from './words.ts';

const SUBJECT_LENGTH = 100;
/** Only a condition that lasts this long, in milliseconds, says so in the subject. */
const WORTH_TELLING_MS = 60_000;
/** How long a trial alert stands at a receiver that keeps alerts, in milliseconds. */
const TEST_MS = 60_000;

/** What a message says of one condition, or of several instances of one service. */
interface Item {
  readonly firing: boolean;
  /** Alone in the subject. */
  readonly subject: string;
  /** Among others in the subject. */
  readonly headline: string;
  readonly lines: readonly string[];
}

/**
 * Makes one message of several conditions.
 * @param entries - at least one.
 * @param at - epoch milliseconds of the message.
 * @param active - all that holds now, whether the message tells of it or not.
 */
export function renderNotification(
  entries: readonly NotificationEntry[],
  at: number,
  id: string,
  active: readonly Alert[] = [],
): Notification {
  const sorted = entries.map(cleaned).toSorted((a, b) => rank(a) - rank(b));
  const items = itemsOf(sorted, active.map(cleanedAlert), at);
  return {
    id,
    at,
    level: sorted.find(({ state }) => state === 'firing')?.alert.severity ?? 'resolved',
    subject: clip(subjectOf(items), SUBJECT_LENGTH),
    text: items.map(({ lines }) => lines.join('\n')).join('\n\n'),
    entries: sorted,
  };
}

/** The message that proves a channel works. Its trouble ends by itself: where alerts are kept, it would stand for ever. */
export function renderTest(at: number, id: string): Notification {
  const alert: Alert = { key: 'test', severity: 'info', title: 'Test alert from heimdall', at };
  const cause = 'This channel works. Nothing is wrong.';
  return renderNotification(
    [{ alert: { ...alert, cause }, state: 'firing', resolvedAt: at + TEST_MS, occurrences: 1 }],
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

function rank({ state, alert }: NotificationEntry): number {
  return state === 'resolved' ? SEVERITIES.length : SEVERITIES.indexOf(alert.severity);
}

/** Titles and causes may quote logs and foreign answers: colours, line ends and other control characters go. */
function cleaned(entry: NotificationEntry): NotificationEntry {
  return { ...entry, alert: cleanedAlert(entry.alert) };
}

function cleanedAlert({ title, cause, service, instance, node, ...rest }: Alert): Alert {
  return {
    ...rest,
    title: oneLine(title),
    ...(cause === undefined ? {} : { cause: printable(cause).trim() }),
    ...(service === undefined ? {} : { service: oneLine(service) }),
    ...(instance === undefined ? {} : { instance: oneLine(instance) }),
    ...(node === undefined ? {} : { node: oneLine(node) }),
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

/** In the order of the entries; instances of one service stand where the worst of them does. */
function itemsOf(entries: readonly NotificationEntry[], active: readonly Alert[], at: number): Item[] {
  const told = new Set<NotificationEntry>();
  return entries.flatMap((entry) => {
    if (told.has(entry)) return [];
    const group = groupAround(entry, entries, active);
    for (const each of group?.entries ?? [entry]) told.add(each);
    return group === null ? itemOf(entry, at) : groupItem(group, at);
  });
}

function itemOf(entry: NotificationEntry, at: number): Item {
  const firing = entry.state === 'firing';
  const lasted = at - entry.alert.at;
  const since = firing && lasted >= WORTH_TELLING_MS ? ` for ${formatDuration(lasted)}` : '';
  return {
    firing,
    subject: firing ? `${headline(entry)}${since}` : `Resolved ${after(entry)}: ${placedTitle(entry.alert)}`,
    headline: headline(entry),
    lines: describe(entry, at),
  };
}

function groupItem(group: Group, at: number): Item {
  const sentence = sentenceOf(group);
  const firing = group.entries.some(({ state }) => state === 'firing');
  const title = `${firing ? (group.down[0]?.severity ?? 'info').toUpperCase() : 'RESOLVED'}: ${sentence}`;
  const others = group.entries.flatMap((entry) => describe(entry, at).map((line) => `  ${line}`));
  return { firing, subject: sentence, headline: sentence, lines: [title, ...others] };
}

function subjectOf(items: readonly Item[]): string {
  const [item] = items;
  if (items.length === 1 && item) return item.subject;
  const firing = items.filter((each) => each.firing).length;
  const resolved = items.length - firing;
  const counts = [
    ...(firing > 0 ? [`${firing} ${firing === 1 ? 'alert' : 'alerts'}`] : []),
    ...(resolved > 0 ? [`${resolved} resolved`] : []),
  ];
  return `${counts.join(', ')}: ${items.map((each) => each.headline).join(', ')}`;
}

function headline(entry: NotificationEntry): string {
  const { cause } = entry.alert;
  const title = placedTitle(entry.alert);
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
    ...(alert.node ? [`node ${alert.node}`] : []),
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
