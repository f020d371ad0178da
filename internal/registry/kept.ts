import type { AddedChannel } from '../../pkg/alerts/added-channel.ts';
import type { Acknowledgement, Silence } from '../../pkg/alerts/book.ts';
import type { Delivery, Outage } from '../../pkg/alerts/store.ts';
import { type Deployment, type DeploymentStep, isOver } from '../model/deployment.ts';
import type { EjectionRecord } from '../model/ejection.ts';
import type { HeimdallEvent } from '../model/event.ts';
import type { HealthRecord } from '../model/health.ts';
import type { Instance } from '../model/instance.ts';
import type { ServiceState } from '../model/service-state.ts';
import type { TrafficSample } from '../model/traffic-sample.ts';
import type { LatencyRecord, ProxyRecord } from './registry.ts';
import type { KeptAnswer, RequestClaim } from './request-keys.ts';

/** Whose it is: a load balancer's id; null: a manager's. Whoever comes next of the same kind goes on with it. */
interface Owned {
  readonly owner: string | null;
}

export interface KeptOutage extends Owned {
  readonly outage: Outage;
  readonly acknowledgement: Acknowledgement | null;
}

export interface KeptDelivery extends Owned {
  readonly delivery: Delivery;
}

export interface KeptRequest {
  readonly claim: RequestClaim;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Null: nobody knows what came of it. */
  readonly answer: KeptAnswer | null;
}

/**
 * All that a registry keeps for whoever comes next. Who uses it at present is no part of it: managers, what load balancers report
 * every second, and the signs of life of agents.
 */
export interface Kept {
  /** That live, and cannot know yet that another registry counts. */
  readonly proxies: readonly Pick<ProxyRecord, 'id' | 'pid' | 'startedAt'>[];
  readonly services: readonly ServiceState[];
  /** In the order in which they were made. */
  readonly instances: readonly Instance[];
  /** Oldest first, as all that follows with a time. */
  readonly deployments: readonly Deployment[];
  readonly steps: readonly DeploymentStep[];
  readonly events: readonly HeimdallEvent[];
  readonly outages: readonly KeptOutage[];
  /** Messages that are to be sent. */
  readonly deliveries: readonly KeptDelivery[];
  readonly silences: readonly Silence[];
  readonly channels: readonly AddedChannel[];
  readonly requests: readonly KeptRequest[];
  readonly health: readonly HealthRecord[];
  readonly latencies: readonly LatencyRecord[];
  readonly ejections: readonly EjectionRecord[];
  readonly samples: readonly TrafficSample[];
  /** The last numbers that were given: none is given twice. */
  readonly numbers: { readonly deployments: number; readonly silences: number };
}

/** What there is of each, in the order in which people are told. */
export function countsOf(kept: Kept): Readonly<Record<Exclude<keyof Kept, 'proxies' | 'numbers'>, number>> {
  const { proxies: _, numbers: __, ...lists } = kept;
  const { services, instances, deployments, steps, events, outages, deliveries, silences, channels, requests } = lists;
  return {
    services: services.length,
    instances: instances.length,
    deployments: deployments.length,
    steps: steps.length,
    events: events.length,
    outages: outages.length,
    deliveries: deliveries.length,
    silences: silences.length,
    channels: channels.length,
    requests: requests.length,
    health: lists.health.length,
    latencies: lists.latencies.length,
    ejections: lists.ejections.length,
    samples: lists.samples.length,
  };
}

/** What load balancers take part in that read the registry which is copied, and what to do first, in words; null: nothing. */
export function underWay({ services, deployments, instances }: Kept): string | null {
  const wait = 'which load balancers that read the registry have to confirm; wait until it is over';
  const deployment = deployments.find((each) => !isOver(each));
  if (deployment !== undefined) {
    const { id, kind, service, state } = deployment;
    return `deployment ${id} (${kind} of ${service}) is ${state}, ${wait}`;
  }
  const leaving = instances.find(({ lifecycle }) => lifecycle === 'draining');
  if (leaving !== undefined) return `${leaving.id} is being drained, ${wait}`;
  const paused = services.find(({ pausedSince }) => pausedSince !== null);
  if (paused === undefined) return null;
  return `${paused.service} is paused, and requests that wait for it now would not hear that it goes on; resume it first`;
}
