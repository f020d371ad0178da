export const EVENT_TYPES = [
  'instance.added',
  'instance.ready',
  'instance.start-failed',
  'instance.exited',
  'instance.crash-loop',
  'instance.draining',
  'instance.removed',
  'instance.adopted',
  'instance.lost',
  'instance.replaced',
  'instance.changed',
  'instance.restarted',
  'instance.restart-failed',
  'instance.ejected',
  'instance.readmitted',
  'instance.announced',
  'instance.down',
  'instance.up',
  'instance.expired',
  'service.changed',
  'service.scaled',
  'service.paused',
  'service.resumed',
  'deployment.started',
  'deployment.succeeded',
  'deployment.rolled-back',
  'deployment.failed',
  'deployment.skipped',
  'manager.started',
  'manager.stopped',
  'config.applied',
  'config.refused',
  'audit',
  'registry.restored',
  'registry.copied',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Something that happened, kept for people: what, to whom, why. */
export interface HeimdallEvent {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly type: EventType;
  readonly service: string | null;
  readonly instanceId: string | null;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface StoredEvent extends HeimdallEvent {
  readonly id: number;
}

export interface EventCountQuery {
  readonly types: readonly EventType[];
  /** Epoch milliseconds. */
  readonly since: number;
  /** So many of each service are told, at least one. */
  readonly latest: number;
}

/** How many events there were of a service. */
export interface EventCount {
  readonly service: string;
  readonly count: number;
  /** Newest first. */
  readonly latest: readonly Pick<HeimdallEvent, 'at' | 'message'>[];
}
