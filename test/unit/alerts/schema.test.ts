import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { z } from 'zod';
import { EmailChannelSchema, WebhookChannelSchema } from '../../../pkg/alerts/schema.ts';

const EMAIL = { host: 'mail.example.org', from: 'heimdall@example.org', to: ['ops@example.org'] };
const WEBHOOK = { url: 'https://hooks.example.org/T0/secret' };

/** `path: message` of every fault. */
function faults(schema: z.ZodType, value: unknown): string[] {
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('an email channel', () => {
  it('needs only a host and addresses: port 587, STARTTLS required, certificate checked', () => {
    assert.deepEqual(EmailChannelSchema.parse(EMAIL), {
      ...EMAIL,
      port: 587,
      encryption: 'starttls',
      verifyCertificate: true,
      timeout: 10_000,
      severity: 'info',
      services: [],
      quiet: [],
    });
  });

  it('speaks TLS from the start on port 465, unless told otherwise', () => {
    assert.equal(EmailChannelSchema.parse({ ...EMAIL, port: 465 }).encryption, 'tls');
    assert.equal(EmailChannelSchema.parse({ ...EMAIL, port: 465, encryption: 'none' }).encryption, 'none');
    assert.equal(EmailChannelSchema.parse({ ...EMAIL, port: 25 }).encryption, 'starttls');
  });

  it('takes addresses with a display name and of hosts without a dot', () => {
    const channel = { ...EMAIL, from: 'Heimdall <heimdall@localhost>', to: ['ops@x', 'The Ops <ops@example.org>'] };
    assert.deepEqual(faults(EmailChannelSchema, channel), []);
  });

  for (const address of [
    'ops',
    'a@x, b@x',
    'Ops: a@x;',
    'ops@x\r\nBcc: b@x',
    'Ops <a@x> <b@x>',
    'a@x <b@x>',
    '"a@x," <b@x>',
    'a\r\nBcc: c@x <b@x>',
  ]) {
    it(`refuses ${JSON.stringify(address)} as an address`, () => {
      assert.match(
        faults(EmailChannelSchema, { ...EMAIL, to: [address] })[0] ?? '',
        /^to\.0: expected an address such as/,
      );
    });
  }

  it('refuses unknown keys, an empty list of recipients, half a login', () => {
    assert.match(faults(EmailChannelSchema, { ...EMAIL, secure: true })[0] ?? '', /secure/);
    assert.match(faults(EmailChannelSchema, { ...EMAIL, to: [] })[0] ?? '', /^to: /);
    assert.match(faults(EmailChannelSchema, { ...EMAIL, auth: { user: 'me' } })[0] ?? '', /^auth\.pass: /);
  });
});

describe('a webhook channel', () => {
  it('needs only a URL: JSON, ten seconds', () => {
    assert.deepEqual(WebhookChannelSchema.parse(WEBHOOK), {
      ...WEBHOOK,
      format: 'json',
      headers: {},
      timeout: 10_000,
      severity: 'info',
      services: [],
      quiet: [],
    });
  });

  it('refuses URLs that are not http or https, or carry a password', () => {
    for (const url of ['file:///etc/passwd', 'ftp://example.org', 'example.org', '/x']) {
      assert.deepEqual(faults(WebhookChannelSchema, { url }), ['url: expected an http:// or https:// URL'], url);
    }
    assert.match(faults(WebhookChannelSchema, { url: 'https://u:p@example.org/' })[0] ?? '', /expected no user/);
  });

  it('refuses headers that break the request or that heimdall sets itself', () => {
    for (const name of ['Content-Length', 'transfer-encoding', 'X-Heimdall-Signature', 'a b', 'x:', '']) {
      assert.equal(faults(WebhookChannelSchema, { ...WEBHOOK, headers: { [name]: 'x' } }).length, 1, name);
    }
    assert.equal(faults(WebhookChannelSchema, { ...WEBHOOK, headers: { 'X-A': 'a\r\nX-B: b' } }).length, 1);
    assert.equal(faults(WebhookChannelSchema, { ...WEBHOOK, headers: { Authorization: 'Bearer abc' } }).length, 0);
  });

  it('for PagerDuty needs its integration key, and no other takes one', () => {
    const routingKey = '0123456789abcdef0123456789ABCDEF';
    const pagerduty = { ...WEBHOOK, format: 'pagerduty' };
    assert.equal(WebhookChannelSchema.parse({ ...pagerduty, routingKey }).routingKey, routingKey);
    assert.deepEqual(faults(WebhookChannelSchema, pagerduty), [
      'routingKey: the format "pagerduty" needs the integration key',
    ]);
    assert.deepEqual(faults(WebhookChannelSchema, { ...WEBHOOK, routingKey }), [
      'routingKey: is for the format "pagerduty" only',
    ]);
    assert.match(
      faults(WebhookChannelSchema, { ...pagerduty, routingKey: 'short' })[0] ?? '',
      /^routingKey: expected the 32/,
    );
  });

  it('parses its timeout to milliseconds, and refuses what is none', () => {
    const timeoutOf = (timeout: string) => WebhookChannelSchema.parse({ ...WEBHOOK, timeout }).timeout;
    assert.deepEqual(['500ms', '1.5s', '2m'].map(timeoutOf), [500, 1_500, 120_000]);
    for (const timeout of ['0s', '10', '-1s', '11m', 'soon', 5_000]) {
      const [fault] = faults(WebhookChannelSchema, { ...WEBHOOK, timeout });
      assert.match(fault ?? '', /^timeout: expected a duration such as "500ms"/, String(timeout));
    }
  });
});

describe('the filter of a channel', () => {
  it('takes quiet hours by cron expression and length', () => {
    const quiet = [{ cron: '0 22 * * 1-5', for: '9.5h' }];
    assert.deepEqual(WebhookChannelSchema.parse({ ...WEBHOOK, quiet }).quiet, [
      { cron: '0 22 * * 1-5', for: 34_200_000, except: 'critical' },
    ]);
    assert.equal(EmailChannelSchema.parse({ ...EMAIL, quiet }).quiet.length, 1);
  });

  for (const [filter, expected] of [
    [{ severity: 'error' }, /^severity: expected "critical", "warning" or "info"/],
    [{ quiet: [{ cron: '22:00', for: '1h' }] }, /^quiet\.0\.cron: expected a cron expression of five fields/],
    [{ quiet: [{ cron: '0 0 22 * * *', for: '1h' }] }, /^quiet\.0\.cron: expected a cron expression of five fields/],
    [{ quiet: [{ cron: '0 22 * * *', for: '25h' }] }, /^quiet\.0\.for: expected a duration .* at most 24 hours/],
    [{ quiet: [{ cron: '0 22 * * *' }] }, /^quiet\.0\.for: /],
    [{ quiet: [{ cron: '0 22 * * *', for: '1h', except: 'all' }] }, /^quiet\.0\.except: expected "critical"/],
  ] as const) {
    it(`refuses ${JSON.stringify(filter)}`, () => {
      assert.match(faults(WebhookChannelSchema, { ...WEBHOOK, ...filter })[0] ?? '', expected);
      assert.match(faults(EmailChannelSchema, { ...EMAIL, ...filter })[0] ?? '', expected);
    });
  }
});
