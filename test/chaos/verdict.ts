/** How far an exchange had come when it broke. */
export type Phase = 'connect' | 'head' | 'body' | 'websocket';

/** A visit that did not go as it should. Times are milliseconds of a monotonic clock. */
export interface Failure {
  readonly kind: string;
  readonly isIdempotent: boolean;
  readonly phase: Phase;
  readonly cause: string;
  readonly from: number;
  readonly to: number;
}

/**
 * What nobody has planned, and what of it nobody can hide from clients: of a killed instance, the exchanges that may not be
 * repeated, or whose answer was half sent; of a killed load balancer, everything on its connections.
 */
export interface Incident {
  readonly name: string;
  readonly excuses: 'nothing' | 'what cannot be repeated' | 'everything';
  readonly from: number;
  /** Infinite as long as it lasts. */
  to: number;
}

/** The incident that explains a failure; undefined: it must not have happened. */
export function excuseFor(failure: Failure, incidents: readonly Incident[]): Incident | undefined {
  const strikes = incidents.filter(
    ({ excuses, from }) => excuses === 'what cannot be repeated' && from >= failure.from && from <= failure.to,
  );
  // A request that was sent is repeated once: it may be what kills the instances.
  if (failure.phase === 'head' && failure.cause.startsWith('status 502') && strikes.length > 1) return strikes[1];
  return incidents.find(({ excuses, from, to }) => {
    if (failure.from > to || failure.to < from) return false;
    if (excuses === 'everything') return true;
    return (
      excuses === 'what cannot be repeated' &&
      (!failure.isIdempotent || failure.phase === 'body' || failure.phase === 'websocket')
    );
  });
}
