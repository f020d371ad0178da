import type {
  AlertView,
  ChannelView,
  RuleView,
  SilenceView,
  TestResultView,
} from '../../../internal/model/alert-view.ts';
import { placedTitle } from '../../../pkg/alerts/words.ts';
import { aligned } from '../aligned.ts';
import { marked } from '../terminal/mark.ts';
import type { Paint } from '../terminal/paint.ts';
import { firstLine } from '../terminal/printable.ts';
import { clockText, timeText } from '../terminal/units.ts';

const ALERT_HEAD = ['state', 'severity', 'since', 'for', 'alert', 'id', ''];
const SILENCE_HEAD = ['id', 'what', 'until', 'by', 'comment'];
const CHANNEL_HEAD = ['channel', 'target', 'format', 'from', 'services', 'by'];
const RULE_HEAD = ['state', 'rule', 'subject', 'severity', 'reading'];
const RULE_MOOD = { ok: 'well', pending: 'busy', firing: 'bad', unknown: 'idle' } as const;
const SEVERITY_STYLE = { critical: 'red', warning: 'yellow', info: 'blue' } as const;

/** A row for each alert; what is wrong is told as it stands in the message. @param now - epoch milliseconds. */
export function alertsText(alerts: readonly AlertView[], paint: Paint, now: number): string {
  if (alerts.length === 0) return 'no alerts\n';
  const rows = alerts.map((alert) => [
    alert.state === 'active' ? marked('bad', 'active', paint) : marked('well', 'resolved', paint),
    paint(SEVERITY_STYLE[alert.severity], alert.severity),
    clockText(alert.since, now),
    timeText(alert.durationMs),
    alert.cause === null
      ? firstLine(placedTitle(alert))
      : `${firstLine(placedTitle(alert))} (${firstLine(alert.cause)})`,
    alert.id,
    noteOf(alert),
  ]);
  return aligned([ALERT_HEAD.map((cell) => paint('dim', cell)), ...rows], [0, 1, 2, 4, 5, 6]);
}

export function silencesText(silences: readonly SilenceView[], paint: Paint, now: number): string {
  if (silences.length === 0) return 'no silences are in force\n';
  const rows = silences.map(({ id, match, until, by, comment }) => [
    String(id),
    Object.entries(match)
      .map(([name, value]) => `${name} ${firstLine(value)}`)
      .join(', ') || 'everything',
    clockText(until, now),
    firstLine(by),
    firstLine(comment) || '-',
  ]);
  return aligned([SILENCE_HEAD.map((cell) => paint('dim', cell)), ...rows], [1, 2, 3, 4]);
}

/** Those that came through the API; those of the configuration stand there. */
export function channelsText(channels: readonly ChannelView[], paint: Paint): string {
  if (channels.length === 0) return 'no channels beside those of the configuration\n';
  const rows = channels.map(({ name, target, format, severity, services, by }) => [
    name,
    target,
    format,
    severity,
    services.join(', ') || 'all',
    firstLine(by),
  ]);
  return aligned([CHANNEL_HEAD.map((cell) => paint('dim', cell)), ...rows], [0, 1, 2, 3, 4, 5]);
}

/** How the rules stand that the manager watches. */
export function rulesText(rules: readonly RuleView[], paint: Paint): string {
  if (rules.length === 0) return 'the manager watches no rules\n';
  const rows = rules.map(({ rule, severity, subject, state, reading }) => [
    marked(RULE_MOOD[state], state, paint),
    rule,
    firstLine(subject),
    paint(SEVERITY_STYLE[severity], severity),
    firstLine(reading),
  ]);
  return aligned([RULE_HEAD.map((cell) => paint('dim', cell)), ...rows], [0, 1, 2, 3, 4]);
}

/** How a trial alert fared. */
export function resultsText(results: readonly TestResultView[], paint: Paint): string {
  const rows = results.map(({ channel, ok, error, durationMs }) => [
    ok ? marked('well', 'delivered', paint) : marked('bad', 'failed', paint),
    channel,
    timeText(durationMs),
    firstLine(error ?? ''),
  ]);
  return aligned(rows, [0, 1, 3]);
}

function noteOf({ silenced, acknowledged }: AlertView): string {
  if (acknowledged !== null) {
    const { by, comment } = acknowledged;
    return firstLine(`acknowledged by ${by}${comment === '' ? '' : `: ${comment}`}`);
  }
  return silenced ? 'silenced' : '';
}
