import type { Lease } from './lease.ts';
import type { Outcome } from './outcome.ts';
import type { Refusal } from './pool-parts.ts';

/** What ended a request: one word for each of the reasons that there are, after HAProxy's termination state. */
export type Termination =
  /** The client got the whole answer of an upstream, whatever it says. */
  | 'completed'
  /** It became a tunnel, such as a WebSocket, that has ended. */
  | 'switched'
  /** We had the answer ourselves, as to `OPTIONS *`. */
  | 'answered'
  /** The client left, or its request broke off, before it had the whole answer. */
  | 'client-left'
  /** Something is wrong with the request; its status tells what. */
  | 'refused'
  /** No service has a route for it. */
  | 'no-route'
  | 'rate-limited'
  /** There is no upstream for it. */
  | 'no-upstream'
  /** All upstreams have as much as they take, and as many wait as may. */
  | 'queue-full'
  | 'queue-timeout'
  /** It would have waited in vain. */
  | 'shed'
  /** The service is paused or asleep, and was so for too long, or has as many requests waiting as may. */
  | 'held'
  /** No connection to an upstream. */
  | 'upstream-connect'
  /** The connection broke before the response head, or what came was no HTTP. */
  | 'upstream-reset'
  /** No response head in time. */
  | 'upstream-timeout'
  /** The response broke off, or stood still, after its head: the client has a part of it. */
  | 'upstream-truncated'
  /** A defect of this program. */
  | 'defect';

const CLIENT_GONE = 499;
const SWITCHING = 101;

const BY_OUTCOME: Readonly<Record<Exclude<Outcome['kind'], 'completed'>, Termination>> = {
  'connect-failed': 'upstream-connect',
  reset: 'upstream-reset',
  'head-timeout': 'upstream-timeout',
  truncated: 'upstream-truncated',
  'client-closed': 'client-left',
};

const BY_REFUSAL: Readonly<Record<Exclude<Refusal, 'busy'>, Termination>> = {
  nobody: 'no-upstream',
  shed: 'shed',
  held: 'held',
};

export interface ExchangeEnd {
  /** What the client got; 499: it left before. */
  readonly status: number;
  /** Of the last attempt; undefined: there was none. */
  readonly last: Pick<Lease, 'outcome' | 'headMs'> | undefined;
  /** Why the request got no upstream, or no other one; null: it did. */
  readonly refusal: Refusal | null;
  /** How long it has waited for upstreams, in milliseconds. */
  readonly queueMs: number;
}

/** Of a request that went to a pool. */
export function terminationOf({ status, last, refusal, queueMs }: ExchangeEnd): Termination {
  const outcome = last?.outcome ?? null;
  if (outcome?.kind === 'completed') return status === SWITCHING ? 'switched' : 'completed';
  // That nobody is left to try says less than how the last attempt failed.
  if (refusal !== null && (refusal !== 'nobody' || outcome === null)) {
    if (refusal !== 'busy') return BY_REFUSAL[refusal];
    return queueMs > 0 ? 'queue-timeout' : 'queue-full';
  }
  const isOurs = (last?.headMs ?? null) === null; // the status is no upstream's
  if (isOurs && status >= 400 && status < 500) return status === CLIENT_GONE ? 'client-left' : 'refused';
  return outcome === null ? 'no-upstream' : BY_OUTCOME[outcome.kind];
}
