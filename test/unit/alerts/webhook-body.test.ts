import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import type { Alert, Notification, NotificationEntry } from '../../../pkg/alerts/alert.ts';
import { renderNotification, renderTest } from '../../../pkg/alerts/render.ts';
import { type WebhookChannel, WEBHOOK_FORMATS } from '../../../pkg/alerts/schema.ts';
import { webhookBodies } from '../../../pkg/alerts/webhook-body.ts';
import { alertAt, START } from './support.ts';

function entry(changes: Partial<Alert> = {}, resolvedAt: number | null = null): NotificationEntry {
  const state = resolvedAt === null ? 'firing' : 'resolved';
  return { alert: alertAt(START, changes), state, resolvedAt, occurrences: 1 };
}

const ROUTING_KEY = '0123456789abcdef0123456789ABCDEF';

/** Of the only request. */
function webhookBody(format: WebhookChannel['format'], message: Notification): string {
  const [body = '', ...others] = webhookBodies({ format, routingKey: ROUTING_KEY }, message);
  assert.deepEqual(others, []);
  return body;
}

function bodyOf(format: WebhookChannel['format'], entries: NotificationEntry[]): unknown {
  return JSON.parse(webhookBody(format, renderNotification(entries, START + 10_000, 'id-1')));
}

const TEXT = 'CRITICAL: web-9001 is down\n  since 2026-01-02 12:00:00 UTC (10 s)';

describe('the body of a webhook', () => {
  it('in JSON has every fact in its own field', () => {
    assert.deepEqual(bodyOf('json', [entry({ service: 'web' }), entry({ key: 'k', cause: 'x' }, START + 800)]), {
      id: 'id-1',
      at: '2026-01-02T12:00:10.000Z',
      level: 'critical',
      subject: '1 alert, 1 resolved: web-9001 is down, web-9001 is down (resolved after 0.8 s)',
      text: [
        'CRITICAL: web-9001 is down',
        '  service web, since 2026-01-02 12:00:00 UTC (10 s)',
        '',
        'RESOLVED after 0.8 s: web-9001 is down',
        '  x',
        '  from 2026-01-02 12:00:00 UTC to 2026-01-02 12:00:00 UTC',
      ].join('\n'),
      alerts: [
        {
          state: 'firing',
          key: 'instance-down:web-9001',
          severity: 'critical',
          title: 'web-9001 is down',
          cause: null,
          service: 'web',
          instance: null,
          node: null,
          since: '2026-01-02T12:00:00.000Z',
          resolvedAt: null,
          durationMs: null,
          occurrences: 1,
        },
        {
          state: 'resolved',
          key: 'k',
          severity: 'critical',
          title: 'web-9001 is down',
          cause: 'x',
          service: null,
          instance: null,
          node: null,
          since: '2026-01-02T12:00:00.000Z',
          resolvedAt: '2026-01-02T12:00:00.800Z',
          durationMs: 800,
          occurrences: 1,
        },
      ],
    });
  });

  it('for Slack has the subject as text and the rest as a coloured attachment', () => {
    assert.deepEqual(bodyOf('slack', [entry()]), {
      text: 'web-9001 is down',
      attachments: [{ color: '#d92d20', fallback: 'web-9001 is down', text: TEXT, mrkdwn_in: [] }],
    });
  });

  it('for Discord has the subject as content and the rest as a coloured embed', () => {
    assert.deepEqual(bodyOf('discord', [entry()]), {
      content: 'web-9001 is down',
      embeds: [{ description: TEXT.replace('(10 s)', '\\(10 s\\)'), color: 0xd92d20 }],
      allowed_mentions: { parse: [] },
    });
  });

  it('for Teams is a message with one Adaptive Card, a text run per line', () => {
    const [title, since = ''] = TEXT.split('\n');
    assert.deepEqual(bodyOf('teams', [entry()]), {
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.4',
            msteams: { width: 'Full' },
            body: [
              {
                type: 'RichTextBlock',
                inlines: [
                  { type: 'TextRun', text: 'web-9001 is down', size: 'Medium', weight: 'Bolder', color: 'attention' },
                ],
              },
              { type: 'RichTextBlock', spacing: 'None', inlines: [{ type: 'TextRun', text: title }] },
              { type: 'RichTextBlock', spacing: 'None', inlines: [{ type: 'TextRun', text: since }] },
            ],
          },
        },
      ],
    });
  });

  // An app logs "<!channel> <https://evil.example|click>" or "@everyone [click](https://evil.example)" and crashes.
  // Its log must stay text: nobody is called, nothing becomes a link under another name.
  it('lets quoted text call nobody and hide no link', () => {
    const hostile = entry({ cause: '<!channel> @everyone [click](https://evil.example)' });
    assert.doesNotMatch(webhookBody('slack', renderNotification([hostile], START, 'i')), /<!channel>/);
    const discord = webhookBody('discord', renderNotification([hostile], START, 'i'));
    assert.match(discord, /"allowed_mentions":\{"parse":\[\]\}/);
    assert.doesNotMatch(discord, /\[click\]\(/);
  });

  it('stays within what each receiver takes, however many alerts there are', () => {
    const many = Array.from({ length: 500 }, (_, index) => entry({ key: String(index), cause: '*<é漢'.repeat(20) }));
    const limits = {
      json: 2 ** 20,
      slack: 30_000,
      discord: 30_000,
      teams: 28 * 1024,
      pagerduty: 512_000,
      alertmanager: 2 ** 20,
    };
    for (const format of WEBHOOK_FORMATS) {
      const bodies = webhookBodies({ format, routingKey: ROUTING_KEY }, renderNotification(many, START, 'i'));
      const longest = Math.max(...bodies.map((body) => Buffer.byteLength(body)));
      assert.ok(longest < limits[format], `${format}: ${longest}`);
    }
    const discord = bodyOf('discord', many);
    assert.ok(typeof discord === 'object' && discord !== null && 'embeds' in discord && Array.isArray(discord.embeds));
    assert.ok(discord.embeds[0].description.length <= 4_096);
  });
});

/** What PagerDuty publishes of the Events API v2, "Send an event"; of a trigger and a resolve only. */
const PagerDutySchema = z.discriminatedUnion('event_action', [
  z.strictObject({
    routing_key: z.string().length(32),
    event_action: z.literal('trigger'),
    dedup_key: z.string().min(1).max(255),
    client: z.string(),
    payload: z.strictObject({
      summary: z.string().min(1).max(1_024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime(),
      component: z.string().exactOptional(),
      group: z.string().exactOptional(),
      class: z.string().exactOptional(),
      custom_details: z.record(z.string(), z.unknown()).exactOptional(),
    }),
  }),
  z.strictObject({
    routing_key: z.string().length(32),
    event_action: z.literal('resolve'),
    dedup_key: z.string().min(1).max(255),
  }),
]);

/** `postableAlerts` of Alertmanager's OpenAPI document for its API v2; names of labels as Prometheus takes them. */
const LabelSetSchema = z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string().min(1));
const PostableAlertsSchema = z.array(
  z.strictObject({
    labels: LabelSetSchema,
    annotations: LabelSetSchema.exactOptional(),
    startsAt: z.iso.datetime().exactOptional(),
    endsAt: z.iso.datetime().exactOptional(),
    generatorURL: z.url().exactOptional(),
  }),
);

describe('the node of an alert', () => {
  const message = renderNotification([entry({ title: 'no port is free', node: 'b' })], START, 'id-1');

  it('has a field of its own, and tells the troubles of two nodes apart', () => {
    assert.match(webhookBody('json', message), /"instance":null,"node":"b"/);
    assert.match(webhookBody('alertmanager', message), /"node":"b".*"summary":"no port is free on node b"/);
    const [event = ''] = webhookBodies({ format: 'pagerduty', routingKey: 'r' }, message);
    assert.match(event, /"dedup_key":"instance-down:web-9001\/b".*"source":"b"/);
  });
});

describe('the identity of an alert at a receiver that keeps alerts', () => {
  // Two installations with a service of the same name, and one integration: the recovery of one would end the outage of both.
  it('is of its installation, at the beginning and at the end', () => {
    const about = { key: 'service-down:web/', service: 'web' };
    const message = renderNotification([entry(about), entry(about, START + 1)], START, 'i');
    const of = (format: WebhookChannel['format'], site?: string) => {
      const bodies = webhookBodies(
        { format, routingKey: ROUTING_KEY },
        site === undefined ? message : { ...message, site },
      );
      return bodies.flatMap((body) => JSON.parse(body));
    };
    const keys = (site?: string) => of('pagerduty', site).map((event) => PagerDutySchema.parse(event).dedup_key);
    assert.deepEqual(keys('berlin'), ['berlin/service-down:web/', 'berlin/service-down:web/']);
    assert.deepEqual(keys(), ['service-down:web/', 'service-down:web/']);
    const labels = (site?: string) =>
      PostableAlertsSchema.parse(of('alertmanager', site)).map((alert) => alert.labels['site']);
    assert.deepEqual(labels('berlin'), ['berlin', 'berlin']);
    assert.deepEqual(labels(), [undefined, undefined]);
  });
});

describe('a trial alert in JSON', () => {
  it('is firing, with no end', () => {
    const { alerts } = JSON.parse(webhookBody('json', renderTest(START, 'i')));
    assert.deepEqual([alerts[0].state, alerts[0].resolvedAt, alerts[0].durationMs], ['firing', null, null]);
  });
});

describe('the events for PagerDuty', () => {
  const eventsOf = (...entries: NotificationEntry[]) =>
    webhookBodies({ format: 'pagerduty', routingKey: ROUTING_KEY }, renderNotification(entries, START, 'i')).map(
      (body) => PagerDutySchema.parse(JSON.parse(body)),
    );

  it('are one for each alert, tied from the beginning to the end by the key of the condition', () => {
    const about = { key: 'instance-down:web/a', service: 'web', instance: 'a', cause: 'connect ECONNREFUSED\na line' };
    assert.deepEqual(eventsOf(entry(about), entry({ ...about, key: 'k' }, START + 800)), [
      {
        routing_key: ROUTING_KEY,
        event_action: 'trigger',
        dedup_key: 'instance-down:web/a',
        client: 'heimdall',
        payload: {
          summary: 'web-9001 is down: connect ECONNREFUSED',
          source: 'a',
          severity: 'critical',
          timestamp: '2026-01-02T12:00:00.000Z',
          component: 'web',
          class: 'instance-down',
          custom_details: { cause: 'connect ECONNREFUSED\na line', occurrences: 1 },
        },
      },
      { routing_key: ROUTING_KEY, event_action: 'resolve', dedup_key: 'k' },
    ]);
  });

  it('keep within the limits, with a key that is the same both times', () => {
    const long = { key: 'k'.repeat(300), title: 't'.repeat(2_000), cause: 'c'.repeat(20_000) };
    const [trigger, resolve] = eventsOf(entry(long), entry(long, START + 1));
    assert.equal(trigger?.dedup_key, resolve?.dedup_key);
    const [other] = eventsOf(entry({ ...long, key: `${'k'.repeat(299)}x` }));
    assert.notEqual(other?.dedup_key, trigger?.dedup_key);
  });

  it('end by themselves when they are a trial: nobody else would close the incident', () => {
    const events = webhookBodies({ format: 'pagerduty', routingKey: ROUTING_KEY }, renderTest(START, 'i'));
    const parsed = events.map((body) => PagerDutySchema.parse(JSON.parse(body)));
    assert.deepEqual(
      parsed.map(({ event_action, dedup_key }) => `${event_action} ${dedup_key}`),
      ['trigger test', 'resolve test'],
    );
  });

  it('have a source when the trouble is with no instance and no service', () => {
    const [event] = eventsOf(entry());
    assert.ok(event?.event_action === 'trigger' && event.payload.source.length > 0);
  });
});

describe('the alerts for Alertmanager', () => {
  const about = { key: 'instance-down:web/a', service: 'web', instance: 'a', cause: 'connect ECONNREFUSED' };

  it('have labels that are the same at the beginning and at the end, which is a week off until it is known', () => {
    const parsed = PostableAlertsSchema.parse(bodyOf('alertmanager', [entry(about), entry(about, START + 800)]));
    const labels = { alertname: 'instance-down', key: about.key, severity: 'critical', service: 'web', instance: 'a' };
    const annotations = { summary: 'web-9001 is down', description: 'connect ECONNREFUSED' };
    const startsAt = '2026-01-02T12:00:00.000Z';
    assert.deepEqual(parsed, [
      { labels, annotations, startsAt, endsAt: '2026-01-09T12:00:10.000Z' },
      { labels, annotations, startsAt, endsAt: '2026-01-02T12:00:00.800Z' },
    ]);
  });

  it('stand for a minute when they are a trial', () => {
    const [body = ''] = webhookBodies({ format: 'alertmanager' }, renderTest(START, 'i'));
    const [alert] = PostableAlertsSchema.parse(JSON.parse(body));
    assert.deepEqual([alert?.startsAt, alert?.endsAt], ['2026-01-02T12:00:00.000Z', '2026-01-02T12:01:00.000Z']);
  });

  it('have no empty labels', () => {
    const [alert] = PostableAlertsSchema.parse(bodyOf('alertmanager', [entry({ service: '', cause: '' })]));
    assert.deepEqual(alert?.labels, {
      alertname: 'instance-down',
      key: 'instance-down:web-9001',
      severity: 'critical',
    });
    assert.deepEqual(alert?.annotations, { summary: 'web-9001 is down' });
  });
});
