import type { Notification, NotificationEntry } from './alert.ts';
import { alertmanagerAlerts } from './alertmanager.ts';
import { pagerDutyEvents } from './pagerduty.ts';
import type { WebhookChannel } from './schema.ts';
import { clip } from './words.ts';

/** Red, amber, blue, green. */
const COLOURS: Readonly<Record<Notification['level'], number>> = {
  critical: 0xd92d20,
  warning: 0xf79009,
  info: 0x2e90fa,
  resolved: 0x12b76a,
};
const CARD_COLOURS: Readonly<Record<Notification['level'], string>> = {
  critical: 'attention',
  warning: 'warning',
  info: 'accent',
  resolved: 'good',
};

type Receiver = Pick<WebhookChannel, 'format' | 'routingKey'>;

/** One object for each request. */
const BODIES: Readonly<Record<WebhookChannel['format'], (message: Notification, to: Receiver) => object[]>> = {
  json: (message) => [json(message)],
  slack: (message) => [slack(message)],
  discord: (message) => [discord(message)],
  teams: (message) => [teams(message)],
  pagerduty: (message, { routingKey = '' }) => pagerDutyEvents(message, routingKey),
  alertmanager: (message) => [alertmanagerAlerts(message)],
};

/** The bodies of the requests that make a message, in the shape that the receiver understands, as JSON texts. */
export function webhookBodies(receiver: Receiver, message: Notification): string[] {
  return BODIES[receiver.format](message, receiver).map((body) => JSON.stringify(body));
}

function json({ id, site, at, level, subject, text, entries }: Notification): object {
  return { id, ...(site !== undefined && { site }), at: iso(at), level, subject, text, alerts: entries.map(jsonEntry) };
}

function jsonEntry({ alert, state, occurrences, ...entry }: NotificationEntry): object {
  const resolvedAt = state === 'resolved' ? entry.resolvedAt : null;
  const { key, severity, title, cause, service, instance, node, at } = alert;
  return {
    state,
    key,
    severity,
    title,
    cause: cause ?? null,
    service: service ?? null,
    instance: instance ?? null,
    node: node ?? null,
    since: iso(at),
    resolvedAt: resolvedAt === null ? null : iso(resolvedAt),
    durationMs: resolvedAt === null ? null : resolvedAt - at,
    occurrences,
  };
}

/** Attachments, not blocks: Mattermost and Rocket.Chat understand them too. */
function slack({ subject, text, level }: Notification): object {
  const color = `#${COLOURS[level].toString(16).padStart(6, '0')}`;
  const body = escapeSlack(clip(text, 3_000));
  return {
    text: escapeSlack(subject),
    attachments: [{ color, fallback: escapeSlack(subject), text: body, mrkdwn_in: [] }],
  };
}

/** The three characters that are special to Slack; without them a log line cannot call `<!channel>`. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Limits: content 2000 characters, description 4096. Nobody is mentioned, whatever a log line says. */
function discord({ subject, text, level }: Notification): object {
  return {
    content: clip(escapeMarkdown(subject), 2_000),
    embeds: [{ description: clip(escapeMarkdown(text), 4_000), color: COLOURS[level] }],
    allowed_mentions: { parse: [] },
  };
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\*_~`|<>[\]()#]/g, '\\$&');
}

/**
 * What the Teams workflow "When a Teams webhook request is received" takes: a message with one Adaptive Card of version
 * 1.4, the newest that every tenant renders, and of at most 28 KiB. Text runs, unlike text blocks, know no Markdown.
 */
function teams({ subject, text, level }: Notification): object {
  const lines = clip(text, 6_000).split('\n').slice(0, 60);
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      richText(subject, { size: 'Medium', weight: 'Bolder', color: CARD_COLOURS[level] }, {}),
      ...lines.filter((line) => line !== '').map((line) => richText(line, {}, { spacing: 'None' })),
    ],
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card }],
  };
}

function richText(text: string, look: object, layout: object): object {
  return { type: 'RichTextBlock', ...layout, inlines: [{ type: 'TextRun', text, ...look }] };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
