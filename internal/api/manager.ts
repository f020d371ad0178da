import type { AlertBook } from '../../pkg/alerts/book.ts';
import type { AlertDispatcher } from '../../pkg/alerts/dispatcher.ts';
import type { TargetGuard } from '../../pkg/alerts/target-guard.ts';
import type { RuleView } from '../../pkg/alerts/rules/reading.ts';
import type { LiveFeed } from '../server/live/live-feed.ts';
import type { InstanceControl } from '../server/instance-control.ts';
import type { AnnouncedInstances } from '../server/announced/announced-instances.ts';
import type { Nodes } from '../server/nodes.ts';
import type { ServerManager } from '../server/server-manager.ts';
import type { ServiceControl } from '../server/service-control.ts';

/** What the API needs of the server manager. */
export type Manager = Pick<
  ServerManager,
  'add' | 'list' | 'remove' | 'status' | 'events' | 'logs' | 'eventCounts' | 'audit' | 'requestKeys'
> & {
  readonly services: Pick<ServiceControl, keyof ServiceControl>;
  readonly nodes: Pick<Nodes, keyof Nodes>;
  readonly live: Pick<LiveFeed, 'join' | 'once'>;
  readonly instances: Pick<InstanceControl, keyof InstanceControl>;
  readonly announced: Pick<AnnouncedInstances, 'register' | 'heartbeat' | 'deregister'>;
};

/** What the API needs of the alerts. */
export interface Alerts {
  /** One result per configured channel, none when no channel is configured. */
  readonly test: AlertDispatcher['test'];
  /** How the rules stand that the manager watches. */
  readonly rules: () => readonly RuleView[];
  readonly book: AlertBook;
  /** Keeps channels that come through the API away from private networks. */
  readonly guard: () => TargetGuard;
  /** The channels that came through the API are others now. */
  readonly channelsChanged: () => Promise<void>;
}
