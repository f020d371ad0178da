import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Alert, NotificationEntry } from '../../../pkg/alerts/alert.ts';
import { renderNotification } from '../../../pkg/alerts/render.ts';
import { type WebhookFormat, WEBHOOK_FORMATS } from '../../../pkg/alerts/schema.ts';
import { webhookBody } from '../../../pkg/alerts/webhook-body.ts';
import { alertAt, START } from './support.ts';

function entry(changes: Partial<Alert> = {}, resolvedAt: number | null = null): NotificationEntry {
  const state = resolvedAt === null ? 'firing' : 'resolved';
  return { alert: alertAt(START, changes), state, resolvedAt, occurrences: 1 };
}

function bodyOf(format: WebhookFormat, entries: NotificationEntry[]): unknown {
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
    const limits = { json: 2 ** 20, slack: 30_000, discord: 30_000, teams: 28 * 1024 };
    for (const format of WEBHOOK_FORMATS) {
      const body = webhookBody(format, renderNotification(many, START, 'i'));
      assert.ok(Buffer.byteLength(body) < limits[format], `${format}: ${Buffer.byteLength(body)}`);
    }
    const discord = bodyOf('discord', many);
    assert.ok(typeof discord === 'object' && discord !== null && 'embeds' in discord && Array.isArray(discord.embeds));
    assert.ok(discord.embeds[0].description.length <= 4_096);
  });
});
