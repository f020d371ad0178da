import { HeimdallError } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import type { Announcement } from './announcements.ts';
import { checkInstance, newInstanceId, portTaken } from './instance-rules.ts';

/**
 * The instance that an agent announces.
 * @param before - what is at this place; one that is leaving or gone, or was another service's, is not gone on with.
 * @param now - epoch milliseconds.
 * @throws {HeimdallError} INVALID_REQUEST.
 */
export function announcedInstance(announcement: Announcement, before: Instance | null, now: number): Instance {
  const { service, port } = announcement;
  const goesOn = before?.lifecycle === 'ready' || before?.lifecycle === 'failed';
  const kept = goesOn && before.service === service ? before : null;
  return checkInstance({
    ...announcement,
    id: kept?.id ?? newInstanceId(service, port),
    variant: null,
    deployment: null,
    lifecycle: 'ready',
    process: null,
    env: {},
    startedAt: kept?.lifecycle === 'ready' ? kept.startedAt : now,
    restarts: 0,
    lastError: null,
  });
}

/**
 * Whether what is at a place makes room for what an agent announces there.
 * @param isOverdue - of the holder: its own agent has been silent for too long.
 * @throws {HeimdallError} PORT_TAKEN, LIFECYCLE_CONFLICT.
 */
export function assertGives(
  { id, host, port, agent, lifecycle }: Instance,
  announcer: string,
  isOverdue: boolean,
): void {
  if (agent === null || (agent.id !== announcer && !isOverdue)) throw portTaken(host, port, id);
  if (lifecycle === 'draining' && !isOverdue) {
    throw new HeimdallError('LIFECYCLE_CONFLICT', `The instance ${id} is being drained.`, { id });
  }
}

/** What of all that is silent may go: all but the last instances of a service. */
export function dispensable(instances: readonly Instance[], isSilent: (instance: Instance) => boolean): Instance[] {
  const served = new Set(
    instances.filter((each) => each.lifecycle === 'ready' && !isSilent(each)).map(({ service }) => service),
  );
  return instances.filter((each) => isSilent(each) && (each.lifecycle !== 'ready' || served.has(each.service)));
}
