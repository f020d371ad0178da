import type { RegisterRequest } from '../model/agent-bodies.ts';
import type { Announcement } from './announcements.ts';
import type { Snapshot } from './registry.ts';

/** Who announces, and from where. */
interface Origin {
  readonly agent: string;
  readonly node: string;
  /** Where load balancers reach the app. */
  readonly host: string;
}

/** An app as it is announced: with the weight that it wants, or has, or that is usual in its service. */
export function announcementOf(
  { service, port, weight, version, metadata }: Omit<RegisterRequest['apps'][number], 'host'>,
  { agent, node, host }: Origin,
  { services, instances }: Pick<Snapshot, 'services' | 'instances'>,
): Announcement {
  const before = instances.find((each) => each.host === host && each.port === port && each.service === service);
  const usual = services.find((state) => state.service === service)?.overrides.weight ?? 1;
  return {
    service,
    host,
    port,
    weight: weight ?? before?.weight ?? usual,
    version: version ?? null,
    node,
    agent: { id: agent, metadata },
  };
}
