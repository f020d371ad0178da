import type { Bench } from './bench.ts';
import type { Candidate } from './candidates/candidate.ts';
import { answers } from './readiness.ts';

/** A candidate that answers requests. */
export interface RunningProxy {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Resolves once it answers a request with 200.
 * @throws {Error} with its own words when it cannot; it is gone then.
 */
export async function startCandidate(
  { workshop, ports, plan }: Bench,
  candidate: Candidate,
  backends: readonly number[],
  algorithm?: string,
): Promise<RunningProxy> {
  const [port = 0, adminPort = 0] = await ports.take(2);
  const cores = candidate.threads === 1 ? plan.oneThread : plan.twoThreads;
  const child = await candidate.start(workshop, { port, adminPort, backends, algorithm, cores });
  try {
    await answers(child, port, workshop.signal);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { pid: child.pid, port, stop: () => child.stop() };
}
