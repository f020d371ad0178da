import type { AlertView, SilenceView } from './alert-view.ts';
import type { DeploymentStepView, DeploymentView } from './deployment-view.ts';
import type { EventView } from './event-view.ts';
import type { InstanceView } from './instance-view.ts';
import type { ServiceView } from './service-view.ts';
import type { LoadBalancerView } from './manager-status.ts';

/** So many events a state has. */
export const LIVE_EVENTS = 100;

/** Traffic of the last seconds, over all load balancers; figures have three significant digits. */
export interface Traffic {
  /** Requests that ended, per second; of an instance: attempts. */
  readonly rps: number;
  /** The share of them that failed, 0 to 1; null when none ended. */
  readonly errorRate: number | null;
  /** Times to the response head in milliseconds; null when nobody answered. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** On instances. */
  readonly inFlight: number;
}

export interface LiveInstance extends InstanceView {
  /** Why the health is what it is, in words; empty when nothing is known. */
  readonly healthCause: string;
  /** While it drains: `until` then at the latest it is told to stop, or is being stopped. Times are ISO 8601. */
  readonly drain: { readonly since: string; readonly until: string; readonly inFlight: number } | null;
  readonly traffic: Traffic;
}

export interface LiveService extends ServiceView {
  /** Requests that wait because there is no instance, all are full, or the service is paused. */
  readonly waiting: number;
  readonly traffic: Traffic;
}

export interface LiveDeployment extends DeploymentView {
  /** The last hundred, oldest first. */
  readonly steps: readonly DeploymentStepView[];
}

/** All that there is to see now. */
export interface LiveState {
  /** ISO 8601, by the manager's clock. */
  readonly at: string;
  readonly version: string;
  /** Null: the registry cannot be read at present, and the rest is what was known last. */
  readonly revision: number | null;
  /** Ages of heartbeats are in whole seconds, and 0 up to two of them. */
  readonly loadBalancers: readonly LoadBalancerView[];
  /** In the order of the configuration. */
  readonly services: readonly LiveService[];
  /** By service, host and port. */
  readonly instances: readonly LiveInstance[];
  /** Those under way or queued, and those that ended in the last quarter of an hour; newest first. */
  readonly deployments: readonly LiveDeployment[];
  /** The active ones and those that were resolved within the hour, newest first; durations are as of when they were told. */
  readonly alerts: readonly AlertView[];
  readonly silences: readonly SilenceView[];
  /** The latest, newest first. */
  readonly events: readonly EventView[];
}

/** Figures at equal distances, oldest first; null where nothing is known. Empty: nothing is known at all. */
export type Series = readonly (number | null)[];

/** What the last 15 minutes looked like. */
export interface LiveHistory {
  /** Of the last point, in epoch milliseconds: each point is of the time that ends there. */
  readonly until: number;
  /** Between two points. */
  readonly stepMs: number;
  readonly services: Readonly<Record<string, Readonly<Record<keyof Traffic, Series>>>>;
  /** By id. */
  readonly instances: Readonly<
    Record<string, Readonly<Record<'rps' | 'errorRate' | 'p99' | 'cpu' | 'memory', Series>>>
  >;
}

/** What changes most about an instance; what is absent stayed as it was. */
export interface LiveFigures {
  readonly traffic?: Traffic;
  readonly cpu?: number;
  readonly memory?: number;
}

/**
 * What changed since the message before; what is absent stayed as it was. Lists replace whole lists; services and instances
 * are told one by one. `after` in `live-after.ts` makes the next state of it.
 */
export interface LiveChange extends Partial<Omit<LiveState, 'at' | 'services' | 'instances' | 'events'>> {
  /** Those of which anything changed; all of them, in order, when one came or their order is another. */
  readonly services?: readonly LiveService[];
  /** Those that are new, or of which more changed than figures. */
  readonly instances?: readonly LiveInstance[];
  /** By id, of instances of which nothing else changed. */
  readonly figures?: Readonly<Record<string, LiveFigures>>;
  /** Names of services and ids of instances that there are no more. */
  readonly gone?: readonly string[];
  /** New ones, newest first. */
  readonly events?: readonly EventView[];
}

/** Comes every second, whatever happens: who hears none for some seconds knows that what he shows is stale. */
export interface LiveTick extends LiveChange {
  /** ISO 8601, by the manager's clock. */
  readonly at: string;
}

/**
 * The events of the stream `GET /live`: `state` and `history` come first, then a `tick` every second. Whoever takes more than
 * a second for one gets no ticks meanwhile, and a whole `state` when he can take more.
 */
export interface LiveMessages {
  readonly state: LiveState;
  readonly history: LiveHistory;
  readonly tick: LiveTick;
}
