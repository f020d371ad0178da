import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { eventually } from '../e2e-wait.ts';
import type { Host } from './host.ts';

const FILE = 'access.log';
/** `proxy.accessLog` of a load balancer whose requests are read here. */
export const ACCESS_LOG = { output: FILE, format: 'json', rotation: null };

/** Without `afterMs`: it began with the request. */
const AttemptSchema = z.object({
  upstream: z.string(),
  afterMs: z.number().default(0),
  outcome: z.string().optional(),
});

/** A line of the access log, as far as it tells where a request went. */
const LineSchema = AttemptSchema.partial({ upstream: true }).extend({
  time: z.string(),
  status: z.int(),
  failed: z.array(AttemptSchema).default([]),
});

/** One try of a request on one instance. */
export interface Attempt {
  /** Id of the instance. */
  readonly upstream: string;
  /** When it was picked; epoch milliseconds. */
  readonly at: number;
  /** How it failed; undefined: an answer came. */
  readonly outcome?: string | undefined;
  /** What the client got in the end. */
  readonly status: number;
}

/**
 * All attempts of one load balancer.
 * @param requests - how many there were: the last lines take a moment.
 */
export async function attemptsOn(host: Host, requests: number): Promise<readonly Attempt[]> {
  const lines = () => readFileSync(join(host.dir, FILE), 'utf8').split('\n').slice(0, -1);
  const all = await eventually('the log has all requests', () => (lines().length >= requests ? lines() : null));
  return all.flatMap((line) => {
    const { time, status, failed, upstream, afterMs, outcome } = LineSchema.parse(JSON.parse(line));
    const tries = upstream === undefined ? failed : [...failed, { upstream, afterMs, outcome }];
    return tries.map((attempt) => ({ ...attempt, at: Date.parse(time) + attempt.afterMs, status }));
  });
}
