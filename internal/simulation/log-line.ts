import { z } from 'zod';
import { ALGORITHMS, type Algorithm } from '../model/algorithms.ts';
import { isFailureStatus, type Outcome } from '../proxy/outcome.ts';

/** One attempt of a recorded request. All times in milliseconds. */
export interface RecordedAttempt {
  readonly upstream: string;
  readonly weight: number;
  /** Epoch. */
  readonly startedAt: number;
  /** To the response head, or to the failure. */
  readonly headMs: number;
  /** From the head to the end of the response. */
  readonly tailMs: number;
  /** Null: there was no response head. */
  readonly status: number | null;
  readonly outcome: Outcome;
}

/** One line of the access log. */
export interface RecordedRequest {
  readonly service: string;
  /** Null: it was not balanced. */
  readonly algorithm: Algorithm | null;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly method: string;
  readonly client: string;
  readonly target: string;
  readonly succeeded: boolean;
  readonly attempts: readonly RecordedAttempt[];
}

/** Why a line is not used, in words that follow a number of lines. */
export type Unusable =
  | 'are not JSON'
  | 'are other messages of the log'
  | 'are broken'
  | 'went to no upstream'
  | 'ended because the client left'
  | 'became a tunnel';

const Ms = z.number().min(0);

const FailedSchema = z.object({
  upstream: z.string(),
  outcome: z.string(),
  afterMs: Ms,
  totalMs: Ms,
  weight: z.number().positive().default(1),
});

/** The last attempt's figures stand beside those of the request. */
const LineSchema = z.object({
  time: z.iso.datetime(),
  service: z.string().nullable(),
  algorithm: z.enum(ALGORITHMS).optional(),
  client: z.string(),
  method: z.string(),
  target: z.string(),
  status: z.int(),
  termination: z.string(),
  upstream: z.string().nullable(),
  queueMs: Ms,
  headMs: Ms.nullable(),
  totalMs: Ms,
  outcome: z.string().default('completed'),
  weight: z.number().positive().default(1),
  /** Only when there was more than one attempt: otherwise it began when the wait was over. */
  afterMs: Ms.optional(),
  failed: z.array(FailedSchema).default([]),
});
type Line = z.infer<typeof LineSchema>;

const SWITCHING_PROTOCOLS = 101;

/** Reads a JSON line of the access log. */
export function readLogLine(text: string): RecordedRequest | Unusable {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) return 'are not JSON';
  if (!('termination' in value)) return 'are other messages of the log';
  const line = LineSchema.safeParse(value).data;
  if (line === undefined) return 'are broken';
  const { service, upstream, outcome, failed, status } = line;
  const outcomes = [...failed, { outcome }].map((attempt) => outcomeOf(attempt.outcome, status));
  if (outcomes.includes(null)) return 'are broken';
  if (service === null || upstream === null) return 'went to no upstream';
  if (outcomes.some((each) => each?.kind === 'client-closed')) return 'ended because the client left';
  if (status === SWITCHING_PROTOCOLS) return 'became a tunnel';
  return requestOf(line, service, upstream);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function requestOf(line: Line, service: string, upstream: string): RecordedRequest {
  const { client, method, target, status, algorithm, headMs, weight, queueMs, afterMs = queueMs } = line;
  const startedAt = Date.parse(line.time);
  const elapsed = Math.max(line.totalMs - afterMs, 0);
  const last: RecordedAttempt = {
    upstream,
    weight,
    startedAt: startedAt + afterMs,
    headMs: headMs ?? elapsed,
    tailMs: headMs === null ? 0 : Math.max(elapsed - headMs, 0),
    status: headMs === null ? null : status,
    outcome: outcomeOf(line.outcome, status) ?? { kind: 'completed', status },
  };
  const failed = line.failed.map(
    (attempt): RecordedAttempt => ({
      upstream: attempt.upstream,
      weight: attempt.weight,
      startedAt: startedAt + attempt.afterMs,
      headMs: attempt.totalMs,
      tailMs: 0,
      status: null,
      outcome: outcomeOf(attempt.outcome, status) ?? { kind: 'completed', status },
    }),
  );
  const succeeded = headMs !== null && !isFailureStatus(status);
  const attempts = [...failed, last];
  return { service, algorithm: algorithm ?? null, startedAt, method, client, target, succeeded, attempts };
}

/** The reverse of `describeOutcome`; null: it has written nothing like that. */
function outcomeOf(text: string, status: number): Outcome | null {
  const [kind, cause = ''] = text.split(': ', 2);
  switch (kind) {
    case 'completed':
      return { kind, status };
    case 'connect-failed':
    case 'reset':
    case 'head-timeout':
    case 'truncated':
      return { kind, cause };
    case 'client-closed':
      return { kind };
    default:
      return null;
  }
}
