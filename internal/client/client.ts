import type { EventView } from '../model/event-view.ts';
import type { ManagerStatus } from '../model/manager-status.ts';
import type { ForgottenNode, NodeView } from '../model/node-view.ts';
import type { ReloadView } from '../model/reload-view.ts';
import { AgentsClient } from './agents.ts';
import { AlertsClient } from './alerts.ts';
import { Connection, segment } from './connection.ts';
import { DeploymentsClient } from './deployments.ts';
import { liveMessages, liveState } from './live.ts';
import type { CallOptions, ChangeOptions, ClientOptions } from './options.ts';
import { ServersClient } from './servers.ts';
import { ServicesClient } from './services.ts';

export type { AlertQuery, ChannelRequest, SilenceRequest } from './alerts.ts';
export type { DeploymentMessage } from './deployments.ts';
export { HeimdallApiError, HeimdallConnectionError } from './errors.ts';
export { after } from '../model/live-after.ts';
export type { LiveMessage } from './live.ts';
export type { CallOptions, ChangeOptions, ClientOptions, Tagged } from './options.ts';
export type { LogOptions } from './servers.ts';
export type { DeployOptions } from './services.ts';

export type Client = ReturnType<typeof createClient>;

/**
 * The API of a server manager with types, in Node and in browsers. Nothing is sent before the first call. Calls fail with
 * `HeimdallApiError` when the manager says no, with `HeimdallConnectionError` when nobody answers.
 */
export function createClient(options: ClientOptions) {
  const connection = new Connection(options);
  return {
    servers: new ServersClient(connection),
    agents: new AgentsClient(connection),
    services: new ServicesClient(connection),
    deployments: new DeploymentsClient(connection),
    alerts: new AlertsClient(connection),
    /** What happened, newest first. */
    events: ({
      limit,
      service,
      type,
      actor,
      ...call
    }: CallOptions & {
      readonly limit?: number | undefined;
      readonly service?: string | undefined;
      /** How their type begins, such as `audit` or `instance`. */
      readonly type?: string | undefined;
      /** Who did it. */
      readonly actor?: string | undefined;
    } = {}): Promise<EventView[]> =>
      connection.json({ method: 'GET', path: '/events', query: { limit, service, type, actor }, options: call }),
    status: (call?: CallOptions): Promise<ManagerStatus> =>
      connection.json({ method: 'GET', path: '/status', options: call }),
    /** The hosts with a manager, by name. */
    nodes: (call?: CallOptions): Promise<NodeView[]> =>
      connection.json({ method: 'GET', path: '/nodes', options: call }),
    /** Takes away what is kept of a node that is gone for good. */
    forgetNode: (name: string, call?: ChangeOptions): Promise<ForgottenNode> =>
      connection.json({ method: 'DELETE', path: `/nodes/${segment(name)}`, options: call }),
    /** The installed version of the manager in place of the running one. */
    reload: (call?: ChangeOptions): Promise<ReloadView> =>
      connection.json({ method: 'POST', path: '/reload', options: call }),
    /** All that there is to see, then every second what changed (see `after`), until the signal comes or the stream breaks off. */
    live: (call?: CallOptions) => liveMessages(connection, call),
    liveState: (call?: CallOptions) => liveState(connection, call),
  };
}
