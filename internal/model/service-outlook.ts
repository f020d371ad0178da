import { z } from 'zod';
import { HEALTHS } from './health.ts';
import { LIFECYCLES } from './lifecycle.ts';

const UpstreamOutlookSchema = z.object({
  id: z.string(),
  url: z.string(),
  lifecycle: z.enum(LIFECYCLES),
  health: z.enum(HEALTHS),
  /** An `Exclusion`; null: it can be picked, perhaps in spite of its health. */
  excluded: z.string().nullable(),
  /** What its health or its ejection comes from. */
  cause: z.string().nullable(),
  /** Of the health or the ejection; ISO 8601. */
  since: z.string().nullable(),
  /** When an ejected one is tried out; ISO 8601. */
  until: z.string().nullable(),
  weight: z.number(),
  /** Less than all of it during a slow start. */
  weightInForce: z.number(),
  /** Of the weights of all that can be picked; from 0 to 1. */
  share: z.number(),
  inFlight: z.number(),
  /** Requests in flight that it may have; null: any number. */
  limit: z.number().nullable(),
  latencyMs: z.number().nullable(),
  /** Null: it has none, or scores hang on the request. */
  score: z.number().nullable(),
  /** All that in words. */
  sentence: z.string(),
});

/** Who gets the requests of a service now, and why: the answer of `GET /why/{service}`. */
export const ServiceOutlookSchema = z.object({
  service: z.string(),
  algorithm: z.string(),
  /** The whole in words. */
  sentence: z.string(),
  /** See `ExplainedPick`. */
  among: z.enum(['fit', 'panic', 'last-resort']),
  /** Whether new requests are held because the service is paused, or has no instance yet. */
  held: z.enum(['paused', 'asleep']).nullable(),
  /** Requests that wait, in all threads. */
  waiting: z.number(),
  /** What the scores are, with their unit; null: they hang on the request, or there is nobody. */
  meaning: z.string().nullable(),
  better: z.enum(['less', 'more']).nullable(),
  upstreams: z.array(UpstreamOutlookSchema),
});
export type ServiceOutlook = z.infer<typeof ServiceOutlookSchema>;
export type UpstreamOutlook = z.infer<typeof UpstreamOutlookSchema>;
