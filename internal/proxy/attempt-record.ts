import type { AttemptRecord } from './engine.ts';
import type { Lease } from './lease.ts';
import { describeOutcome } from './outcome.ts';

/**
 * @param requestStart - milliseconds of the clock of the leases.
 * @param requestEnd - an attempt that succeeded ends with its request.
 */
export function attemptRecord(lease: Lease, requestStart: number, requestEnd: number): AttemptRecord {
  const { upstream, outcome, startedAt, headMs, weight } = lease;
  // One that was kept may have been found closed before none could be made.
  const isConnected = lease.connection !== null && outcome?.kind !== 'connect-failed';
  return {
    upstream: upstream.id,
    host: upstream.instance.host,
    port: upstream.instance.port,
    outcome: outcome === null ? 'running' : describeOutcome(outcome),
    afterMs: startedAt - requestStart,
    connectMs: isConnected ? (lease.connectMs ?? 0) : null,
    headMs,
    totalMs: (lease.endedAt ?? requestEnd) - startedAt,
    weight,
  };
}
