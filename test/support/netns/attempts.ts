import { z } from 'zod';

/** Without `afterMs`: it began with the request. */
const AttemptSchema = z.object({
  upstream: z.string(),
  afterMs: z.number().default(0),
  outcome: z.string().optional(),
});

/** A line of the access log, as far as it tells where a request went. */
const LineSchema = AttemptSchema.partial({ upstream: true }).extend({
  time: z.string(),
  method: z.string(),
  status: z.int(),
  failed: z.array(AttemptSchema).default([]),
});

/** One try of a request on one instance. */
interface Attempt {
  /** Id of the instance. */
  readonly upstream: string;
  /** When it was picked; epoch milliseconds. */
  readonly at: number;
  /** How it failed; undefined: an answer came. */
  readonly outcome?: string | undefined;
  readonly method: string;
  /** What the client got in the end. */
  readonly status: number;
}

/** All attempts of requests that have ended. @param output - of a load balancer that logs to standard output. */
export function attemptsIn(output: string): readonly Attempt[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{"time":"') && line.endsWith('}'));
  return lines.flatMap((line) => {
    const { time, method, status, failed, upstream, afterMs, outcome } = LineSchema.parse(JSON.parse(line));
    const tries = upstream === undefined ? failed : [...failed, { upstream, afterMs, outcome }];
    return tries.map((attempt) => {
      return { ...attempt, at: Date.parse(time) + attempt.afterMs, method, status };
    });
  });
}
