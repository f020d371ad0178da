import { z } from 'zod';
import { sentHeaders, targetUrl } from '../../pkg/http-target/schema.ts';
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
  endpoint: targetUrl('expected an http:// or https:// URL, such as "http://127.0.0.1:4318/v1/traces"').refine(
    (url) => URL.parse(url)?.pathname !== '/',
    'expected the whole URL: most receivers take traces at "/v1/traces"',
  ),
  /** Sent along, for instance to authenticate. */
  headers: sentHeaders(OWN_FIELDS),
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
