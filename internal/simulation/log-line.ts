import { z } from 'zod';
import { ALGORITHMS, type Algorithm } from '../model/service.ts';
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

/** One line of the request log. */
export interface RecordedRequest {
  readonly service: string;
  /** Null: written by a version that did not say. */
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

const LineSchema = z.object({
  time: z.number(),
  service: z.string().nullable(),
  algorithm: z.enum(ALGORITHMS).optional(),
  client: z.string(),
  method: z.string(),
  target: z.string(),
  status: z.int(),
  totalMs: z.number().min(0),
  attempts: z.array(
    z.object({
      upstream: z.string(),
      outcome: z.string(),
      headMs: z.number().min(0).nullable(),
      weight: z.number().positive().default(1),
    }),
  ),
});
type Line = z.infer<typeof LineSchema>;

const SWITCHING_PROTOCOLS = 101;

/** Reads a line that `logRequest` has written. */
export function readLogLine(text: string): RecordedRequest | Unusable {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) return 'are not JSON';
  if (!('attempts' in value)) return 'are other messages of the log';
  const line = LineSchema.safeParse(value).data;
  if (line === undefined || line.attempts.some(({ outcome }) => outcomeOf(outcome, 0) === null)) return 'are broken';
  const { service, attempts, status } = line;
  if (service === null || attempts.length === 0) return 'went to no upstream';
  if (attempts.some(({ outcome }) => outcome === 'client-closed')) return 'ended because the client left';
  if (status === SWITCHING_PROTOCOLS) return 'became a tunnel';
  return requestOf(line, service);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function requestOf({ time, totalMs, status, algorithm, attempts, ...names }: Line, service: string): RecordedRequest {
  const startedAt = time - totalMs; // the line is written at the end
  const heads = attempts.reduce((sum, { headMs }) => sum + (headMs ?? 0), 0);
  const headless = attempts.filter(({ headMs }) => headMs === null).length;
  const rest = Math.max(totalMs - heads, 0);
  let at = startedAt;
  const recorded = attempts.map(({ upstream, weight, outcome, headMs }, index): RecordedAttempt => {
    const isLast = index === attempts.length - 1;
    // The log does not tell how long a failure took: what is left is theirs in equal parts, or else the tail of the last one.
    const elapsed = headMs ?? rest / headless;
    const attempt = { upstream, weight, startedAt: at, headMs: elapsed, tailMs: isLast && headless === 0 ? rest : 0 };
    at += elapsed;
    const own = headMs === null ? null : status;
    return { ...attempt, status: own, outcome: outcomeOf(outcome, status) ?? { kind: 'completed', status } };
  });
  const { client, method, target } = names;
  const succeeded = attempts.at(-1)?.headMs !== null && !isFailureStatus(status);
  return { service, algorithm: algorithm ?? null, startedAt, method, client, target, succeeded, attempts: recorded };
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
