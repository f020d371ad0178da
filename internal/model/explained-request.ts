import { z } from 'zod';
import { LIFECYCLES } from './lifecycle.ts';
import { HEALTHS } from './health.ts';

/** Why an upstream was no candidate, besides the lifecycles other than `ready`, which stand for themselves. */
export type Exclusion =
  | 'starting'
  | 'draining'
  | 'stopped'
  | 'backing-off'
  | 'failed'
  /** No check has told yet. */
  | 'unchecked'
  | 'unhealthy'
  | 'ejected'
  /** Was ejected; single requests try it out. */
  | 'on-trial'
  /** By an earlier attempt of the request. */
  | 'tried'
  /** As many requests in flight as it may have. */
  | 'full';

const CandidateSchema = z.object({
  id: z.string(),
  /** An `Exclusion`; null: it could have been picked. */
  excluded: z.string().nullable(),
  /** More of it, where more is known: `6 gateway errors in a row, until 2026-11-21T15:04:05Z`. */
  cause: z.string().optional(),
  /** Null: it has none, see `rule`. */
  score: z.number().nullable(),
  lifecycle: z.enum(LIFECYCLES),
  health: z.enum(HEALTHS),
  inFlight: z.number(),
  /** In force, which is less than all of it during a slow start. */
  weight: z.number(),
});

const PickSchema = z.object({
  /** From the arrival of the request, in milliseconds. */
  afterMs: z.number(),
  /** `busy` and `held`: it had to wait, or was refused; `trial`: the request tries out one that was ejected. */
  result: z.enum(['picked', 'trial', 'busy', 'held', 'nobody']),
  upstream: z.string().nullable(),
  /** Who could be picked: the fit; others too, because the fit are too few; the unfit, because nobody is fit. */
  among: z.enum(['fit', 'panic', 'last-resort']),
  /** What decided; null: nothing was to decide. */
  rule: z.string().nullable(),
  /** What the scores are, with their unit. */
  meaning: z.string().nullable(),
  better: z.enum(['less', 'more']).nullable(),
  candidates: z.array(CandidateSchema),
  /** Those that are not listed. */
  unlisted: z.number(),
  /** How many were excluded, by the reason, of all. */
  excluded: z.record(z.string(), z.number()),
});

const AttemptSchema = z.object({
  upstream: z.string(),
  weight: z.number(),
  lastResort: z.boolean(),
  /** From the arrival of the request; this and the others in milliseconds. */
  afterMs: z.number(),
  /** `renewed`: a kept connection was found closed, and another one opened. Null: there was none. */
  connection: z.enum(['new', 'reused', 'renewed']).nullable(),
  /** These three from the start of the attempt; null: it did not get so far. */
  connectMs: z.number().nullable(),
  sentMs: z.number().nullable(),
  headMs: z.number().nullable(),
  /** Null while it runs. */
  totalMs: z.number().nullable(),
  /** `completed`, `connect-failed: ECONNREFUSED`, `running`, … */
  outcome: z.string(),
});

const WaitSchema = z.object({
  why: z.enum(['busy', 'held']),
  /** From the arrival of the request. */
  afterMs: z.number(),
  /** How long; null while it lasts. */
  ms: z.number().nullable(),
});

/** What became of one request, and why: the answer of `GET /explain/{id}`. */
export const ExplainedRequestSchema = z.object({
  id: z.string(),
  /** That had it; 0: the main thread. */
  thread: z.number(),
  /** ISO 8601. */
  at: z.string(),
  client: z.string(),
  method: z.string(),
  host: z.string(),
  target: z.string(),
  /** Null: it went to none. */
  service: z.string().nullable(),
  algorithm: z.string().nullable(),
  /** Its place among traces, while requests are traced; null: they are not, or it could not be read. */
  trace: z
    .object({
      /** 32 hexadecimal digits. */
      id: z.string(),
      /** Whether spans of it are exported. */
      sampled: z.boolean(),
    })
    .nullable(),
  /** What the client got; 499: it left before. Null while the request runs. */
  status: z.number().nullable(),
  /** Which rule a refused request broke; `nobody`, `busy`, `shed`, `held`: why it got no upstream, or no other one. */
  refusal: z.string().nullable(),
  /** So far, while it runs. */
  totalMs: z.number(),
  /** Whether its picks were recorded from the first on. */
  sampled: z.boolean(),
  waits: z.array(WaitSchema),
  picks: z.array(PickSchema),
  attempts: z.array(AttemptSchema),
  /** Why a failed attempt was the last one; null: nothing was to repeat. */
  notRepeated: z.string().nullable(),
});
export type ExplainedRequest = z.infer<typeof ExplainedRequestSchema>;
export type ExplainedPick = z.infer<typeof PickSchema>;
export type ExplainedCandidate = z.infer<typeof CandidateSchema>;
export type ExplainedAttempt = z.infer<typeof AttemptSchema>;
