import { validate as isCron } from 'node-cron';
import { z } from 'zod';
import { sentHeaders, targetUrl } from '../http-target/schema.ts';
import { SEVERITIES } from './alert.ts';
import { milliseconds } from './units.ts';

const MAX_TIMEOUT_MS = 10 * 60_000;
const MAX_QUIET_MS = 24 * 3_600_000;
const QUIET_EXPECTED = 'expected a duration such as "30m" or "10h", above zero and of at most 24 hours';
const CRON_EXPECTED = 'expected a cron expression of five fields, such as "0 22 * * *"';
const TIMEOUT_EXPECTED = 'expected a duration such as "500ms", "10s" or "1m", above zero and of at most 10 minutes';
const PORT_EXPECTED = 'expected a whole number from 1 to 65535';

/** Header fields that the request itself owns; a value of the user's would break or be lost. */
const OWN_FIELDS =
  /^(content-type|content-length|transfer-encoding|connection|keep-alive|upgrade|expect|x-heimdall-.*)$/i;

const QuietWindowSchema = z.strictObject({
  /** When it begins, in the local time of the machine. */
  cron: z.string().refine((text) => isCron(text) && text.trim().split(/\s+/).length === 5, CRON_EXPECTED),
  /** How long it lasts; milliseconds once parsed. */
  for: milliseconds(MAX_QUIET_MS, QUIET_EXPECTED),
  /** What is told all the same. */
  except: z.enum(['critical', 'nothing'], { error: 'expected "critical" or "nothing"' }).default('critical'),
});
export type QuietWindow = z.infer<typeof QuietWindowSchema>;

/** What a channel is told of, and when. */
const ChannelFilterSchema = z.strictObject({
  /** At least. */
  severity: z.enum(SEVERITIES, { error: 'expected "critical", "warning" or "info"' }).default('info'),
  /** Only alerts of these, and those that are about no service; empty: all. */
  services: z.array(z.string().min(1)).default([]),
  /** What falls into these waits until they end. */
  quiet: z.array(QuietWindowSchema).default([]),
});
export type ChannelFilter = z.infer<typeof ChannelFilterSchema>;

/** An SMTP server and whom it should tell. */
export const EmailChannelSchema = z
  .strictObject({
    host: z.string().min(1),
    port: z.int(PORT_EXPECTED).min(1, PORT_EXPECTED).max(65_535, PORT_EXPECTED).default(587),
    /**
     * `tls` from the first byte; `starttls`: refuse to go on without it; `opportunistic`: STARTTLS when the server offers
     * it, which an attacker on the way can prevent; `none`. Default: `tls` on port 465, `starttls` on any other.
     */
    encryption: z.enum(['tls', 'starttls', 'opportunistic', 'none']).optional(),
    /** False accepts any certificate, such as a self-signed one. */
    verifyCertificate: z.boolean().default(true),
    auth: z.strictObject({ user: z.string().min(1), pass: z.string().min(1) }).optional(),
    from: mailbox(),
    to: z.array(mailbox()).min(1).max(50),
    /** For connecting, for the greeting, and for every later silence of the server; milliseconds once parsed. */
    timeout: timeout().prefault('10s'),
    ...ChannelFilterSchema.shape,
  })
  .transform((channel) => ({
    ...channel,
    encryption: channel.encryption ?? (channel.port === 465 ? ('tls' as const) : ('starttls' as const)),
  }));
export type EmailChannel = z.infer<typeof EmailChannelSchema>;

export const WEBHOOK_FORMATS = ['json', 'slack', 'discord', 'teams', 'pagerduty', 'alertmanager'] as const;

/** A URL that receives a POST for every message. */
export const WebhookChannelSchema = z
  .strictObject({
    url: targetUrl('expected an http:// or https:// URL'),
    format: z.enum(WEBHOOK_FORMATS).default('json'),
    /** Of PagerDuty's integration "Events API v2", which it needs. */
    routingKey: z
      .string()
      .regex(/^[A-Za-z0-9]{32}$/, 'expected the 32 letters and digits of an integration key')
      .optional(),
    /** Key of the HMAC-SHA256 in `X-Heimdall-Signature`; without it there is no signature. */
    secret: z.string().min(8, 'expected at least 8 characters').optional(),
    /** Sent along as they are. */
    headers: sentHeaders(OWN_FIELDS),
    /** For the whole exchange; milliseconds once parsed. */
    timeout: timeout().prefault('10s'),
    ...ChannelFilterSchema.shape,
  })
  .superRefine(({ format, routingKey }, context) => {
    if ((format === 'pagerduty') === (routingKey !== undefined)) return;
    const message =
      format === 'pagerduty'
        ? 'the format "pagerduty" needs the integration key'
        : 'is for the format "pagerduty" only';
    context.addIssue({ code: 'custom', path: ['routingKey'], message });
  });
export type WebhookChannel = z.infer<typeof WebhookChannelSchema>;

/** `ops@example.org` or `Ops <ops@example.org>`; one mailbox only, without anything a mail parser may read as a second. */
function mailbox() {
  const address = z.email({ pattern: z.regexes.html5Email });
  return z
    .string()
    .refine(
      (text) => address.safeParse(/^[^<>"(),:;@\p{Cc}]*<([^<>]*)>$/u.exec(text)?.[1] ?? text).success,
      'expected an address such as "ops@example.org" or "Ops <ops@example.org>"',
    );
}

function timeout() {
  return milliseconds(MAX_TIMEOUT_MS, TIMEOUT_EXPECTED);
}
