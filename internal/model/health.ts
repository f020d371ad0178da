export const HEALTHS = ['unknown', 'healthy', 'unhealthy', 'ejected'] as const;
/** Owned by the data plane. */
export type Health = (typeof HEALTHS)[number];

/** The last known health of one instance, kept in the registry so that it survives a restart of the load balancer. */
export interface HealthRecord {
  readonly instanceId: string;
  /** `incarnationOf` the instance that was checked: health never outlives the process it was measured on. */
  readonly incarnation: string;
  readonly health: Health;
  /** Why the health is what it is, in words: `connect ECONNREFUSED`, `status 503`, `passed`. */
  readonly cause: string;
  /** Epoch milliseconds of the last transition. */
  readonly since: number;
  /** The load balancer that wrote it. */
  readonly proxyId: string;
}

/** What is known of the unhealthy ones, by incarnation. */
export function unhealthyOf(records: readonly HealthRecord[]): ReadonlyMap<string, HealthRecord> {
  return new Map(records.filter(({ health }) => health === 'unhealthy').map((record) => [record.incarnation, record]));
}
