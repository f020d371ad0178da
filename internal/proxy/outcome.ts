/** How one attempt on one upstream ended. */
export type Outcome =
  /** The whole response was relayed. */
  | { readonly kind: 'completed'; readonly status: number }
  /** No connection: not a byte of the request left. */
  | { readonly kind: 'connect-failed'; readonly cause: string }
  /** The connection broke, or spoke no HTTP, before the response head. */
  | { readonly kind: 'reset'; readonly cause: string }
  | { readonly kind: 'head-timeout'; readonly cause: string }
  /** The response broke off or stood still after its head. */
  | { readonly kind: 'truncated'; readonly cause: string }
  /** The client left, or its request broke off: says nothing about the upstream. */
  | { readonly kind: 'client-closed' };

/** The status for the client when nothing better can be done; null when the head is out or nobody is left to read it. */
export function statusFor(outcome: Outcome, lastResort: boolean): 502 | 503 | 504 | null {
  switch (outcome.kind) {
    case 'connect-failed':
      return lastResort ? 503 : 502; // every instance was known to be down: nobody to pick
    case 'reset':
      return 502;
    case 'head-timeout':
      return 504;
    case 'completed':
    case 'truncated':
    case 'client-closed':
      return null;
  }
}

/** Whether the attempt counts against its upstream: broken connections, timeouts, and statuses that say "I am broken". */
export function isFailure(outcome: Outcome): boolean {
  if (outcome.kind === 'completed') return isFailureStatus(outcome.status);
  return outcome.kind !== 'client-closed';
}

/** Codes of `connect(2)` and `socket(2)` that tell of this process and its host, not of the other end. */
const OWN_FAULTS = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

/** Whether no connection could be made for want of something on our side. */
export function isOwnFault(outcome: Outcome): boolean {
  return outcome.kind === 'connect-failed' && OWN_FAULTS.has(outcome.cause);
}

/**
 * Whether nobody answered who could: no connection, no response head in time or at all. Not a response that broke off
 * later: streams end in many ways.
 */
export function isGatewayError(outcome: Outcome): boolean {
  const { kind } = outcome;
  return (kind === 'connect-failed' && !isOwnFault(outcome)) || kind === 'reset' || kind === 'head-timeout';
}

/** 502, 503 and 504 tell of whoever answers, 500 often of the request. */
export function isGatewayStatus(status: number): boolean {
  return status >= 502 && status <= 504;
}

export function isFailureStatus(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}

/** Whether a request failed for its client. @param last - how the last attempt ended, if there was one. */
export function isFailedAnswer(status: number, last: Outcome | null | undefined): boolean {
  return isFailureStatus(status) || last?.kind === 'truncated';
}

/** Short text for the access log. */
export function describeOutcome(outcome: Outcome): string {
  const { kind } = outcome;
  return kind === 'completed' || kind === 'client-closed' ? kind : `${kind}: ${outcome.cause}`;
}
