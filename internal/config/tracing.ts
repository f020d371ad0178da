import { z } from 'zod';
import { duration } from '../model/units.ts';

const MAX_TIMEOUT_MS = 60_000;
/** What the exporter says itself. */
const OWN_FIELDS = /^(content-type|content-length|content-encoding|transfer-encoding|connection|host|user-agent)$/i;
/** Of attributes of the resource that have settings of their own. */
const OWN_ATTRIBUTES = new Set(['service.name', 'service.version']);

const TEXT = 'expected text of 1 to 255 characters';
const SHARE = 'expected a share from 0 to 1';

/** Where spans of requests are sent, and of how many requests. */
export const TracingSchema = z.strictObject({
  /** Of an OTLP receiver over HTTP, with its path. */
  endpoint: z
    .url({
      protocol: /^https?$/,
      error: 'expected an http:// or https:// URL, such as "http://127.0.0.1:4318/v1/traces"',
    })
    .refine((url) => !hasCredentials(url), 'expected no user and password in the URL; use "headers"')
    .refine(
      (url) => URL.parse(url)?.pathname !== '/',
      'expected the whole URL: most receivers take traces at "/v1/traces"',
    ),
  /** Sent along, for instance to authenticate. */
  headers: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'not a header name')
        .refine((name) => !OWN_FIELDS.test(name), 'this header is set by heimdall'),
      z.string().regex(/^[\t\x20-\x7e\u0080-\u00ff]*$/, 'not a header value'),
    )
    .default({}),
  /** Share of the traces that begin here; those that a client has begun it has decided about. */
  sampleRatio: z.number(SHARE).min(0, SHARE).max(1, SHARE).default(1),
  serviceName: z.string(TEXT).min(1, TEXT).max(255, TEXT).default('heimdall'),
  /** Of the resource, such as `deployment.environment.name`. */
  attributes: z
    .record(
      z.string().refine((name) => !OWN_ATTRIBUTES.has(name), 'is set by heimdall; for the name there is "serviceName"'),
      z.string(TEXT).min(1, TEXT).max(255, TEXT),
    )
    .default({}),
  /** For one export, repetitions included; milliseconds once parsed. */
  timeout: duration()
    .refine((ms) => ms <= MAX_TIMEOUT_MS, 'expected at most "60s"')
    .prefault('10s'),
});

function hasCredentials(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && (parsed.username !== '' || parsed.password !== '');
}
