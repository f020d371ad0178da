import { z } from 'zod';

const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
const MAX_TIMEOUT_MS = 10 * 60_000;
const TIMEOUT_EXPECTED = 'expected a duration such as "500ms", "10s" or "1m", above zero and of at most 10 minutes';
const PORT_EXPECTED = 'expected a whole number from 1 to 65535';

/** Header fields that the request itself owns; a value of the user's would break or be lost. */
const OWN_FIELDS =
  /^(content-type|content-length|transfer-encoding|connection|keep-alive|upgrade|expect|x-heimdall-.*)$/i;

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
  })
  .transform((channel) => ({
    ...channel,
    encryption: channel.encryption ?? (channel.port === 465 ? ('tls' as const) : ('starttls' as const)),
  }));
export type EmailChannel = z.infer<typeof EmailChannelSchema>;

export const WEBHOOK_FORMATS = ['json', 'slack', 'discord', 'teams'] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** A URL that receives a POST for every message. */
export const WebhookChannelSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
    .refine((url) => !hasCredentials(url), 'expected no user and password in the URL; use "headers"'),
  format: z.enum(WEBHOOK_FORMATS).default('json'),
  /** Key of the HMAC-SHA256 in `X-Heimdall-Signature`; without it there is no signature. */
  secret: z.string().min(8, 'expected at least 8 characters').optional(),
  /** Sent along as they are. */
  headers: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'not a header name')
        .refine((name) => !OWN_FIELDS.test(name), 'this header is set by heimdall'),
      z.string().regex(/^[\t\x20-\x7e\u0080-\u00ff]*$/, 'not a header value'),
    )
    .default({}),
  /** For the whole exchange; milliseconds once parsed. */
  timeout: timeout().prefault('10s'),
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

/** A duration such as `"500ms"`, `"10s"` or `"1m"`; parsed to milliseconds. */
function timeout() {
  return z.string(TIMEOUT_EXPECTED).transform((text, context) => {
    const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? [];
    const milliseconds = Math.round(Number(amount) * (MS_PER[unit] ?? Number.NaN));
    if (milliseconds > 0 && milliseconds <= MAX_TIMEOUT_MS) return milliseconds;
    context.issues.push({ code: 'custom', input: text, message: TIMEOUT_EXPECTED });
    return z.NEVER;
  });
}

function hasCredentials(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && (parsed.username !== '' || parsed.password !== '');
}
