import type { Silence } from '../health/silence.ts';
import type { Outcome } from './outcome.ts';
import type { Upstream } from './upstream.ts';

/** An upstream of which checks have found that it answers nobody any more. */
export interface SilentUpstream {
  readonly id: string;
  /** Tells it from its predecessors. */
  readonly ordinal: number;
  readonly silence: Silence;
  /** Of the check. */
  readonly cause: string;
}

export function isThat({ id, ordinal }: SilentUpstream, upstream: Upstream): boolean {
  return upstream.id === id && upstream.ordinal === ordinal;
}

/**
 * How an attempt that waits for it would end if it were given up.
 * @returns null: it is not to be, because the host still takes connections.
 */
export function givenUp({ silence, cause }: SilentUpstream, isConnected: boolean): Outcome | null {
  if (isConnected) return { kind: 'reset', cause: `given up: ${cause}` };
  return silence === 'host' ? { kind: 'connect-failed', cause: `given up: ${cause}` } : null;
}
