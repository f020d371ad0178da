import { hasCode } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import { ANNOUNCEMENT_TTL_MS } from './announcements.ts';
import type { RegistryWriter } from './registry.ts';

/** How an announced app is. */
export interface SignOfLife {
  /** Of the instance. */
  readonly id: string;
  readonly isUp: boolean;
  /** Why it is down. */
  readonly cause: string;
}

/** What signs of life have brought about. */
interface Heeded {
  /** Ids of those that are not there (any more). */
  readonly unknown: readonly string[];
  /** Ids of those that somebody has removed. */
  readonly removed: readonly string[];
  /** That are out of rotation now, as they were. */
  readonly down: readonly { readonly instance: Instance; readonly cause: string }[];
  /** That are in rotation again. */
  readonly up: readonly Instance[];
}

/**
 * Keeps the instances of an agent in the registry, and takes those out of rotation, or back, whose apps went down, or up.
 * @param present - announced instances by id, as they were a moment ago.
 * @throws {HeimdallError} REGISTRY_UNAVAILABLE.
 */
export async function heed(
  registry: Pick<RegistryWriter, 'announcements' | 'update'>,
  agent: string,
  signs: readonly SignOfLife[],
  present: () => Promise<ReadonlyMap<string, Instance>>,
): Promise<Heeded> {
  const ids = signs.map(({ id }) => id);
  const unknown = new Set(await registry.announcements.renew(agent, ids, ANNOUNCEMENT_TTL_MS));
  const instances = await present();
  const [removed, down, up]: [string[], { instance: Instance; cause: string }[], Instance[]] = [[], [], []];
  for (const { id, isUp, cause } of signs) {
    const instance = unknown.has(id) ? undefined : instances.get(id);
    if (instance?.lifecycle === 'stopped') removed.push(id);
    if (instance?.lifecycle === 'ready' && !isUp) {
      const change = registry.update(id, { lifecycle: 'failed', lastError: cause });
      if ((await unlessOvertaken(change)) !== null) down.push({ instance, cause });
    }
    if (instance?.lifecycle === 'failed' && isUp) {
      const back = await unlessOvertaken(announceAgain(registry, instance));
      if (back !== null) up.push(back);
    }
  }
  return { unknown: [...unknown], removed, down, up };
}

async function announceAgain(
  { announcements }: Pick<RegistryWriter, 'announcements'>,
  { service, host, port, weight, version, node, agent }: Instance,
): Promise<Instance | null> {
  if (agent === null || node === null) return null;
  return announcements.announce({ service, host, port, weight, version, node, agent }, ANNOUNCEMENT_TTL_MS);
}

/** Null when the change is refused because the instance is gone or leaving meanwhile. */
async function unlessOvertaken<T>(change: Promise<T>): Promise<T | null> {
  try {
    return await change;
  } catch (error) {
    const overtaken = ['INSTANCE_NOT_FOUND', 'LIFECYCLE_CONFLICT', 'PORT_TAKEN'] as const;
    if (overtaken.some((code) => hasCode(error, code))) return null;
    throw error;
  }
}
