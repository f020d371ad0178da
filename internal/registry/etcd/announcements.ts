import { isDeepStrictEqual } from 'node:util';
import type { Instance } from '../../model/instance.ts';
import { announcedInstance, assertGives, dispensable } from '../announced.ts';
import { ANNOUNCEMENT_TTL_MS, type Announcement, type Announcements } from '../announcements.ts';
import { putInstance } from './changes.ts';
import type { Commits, Plan } from './commits.ts';
import type { Instances, KeptInstance } from './instances.ts';
import { FORM } from './forms.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { valueIfValid } from './parse.ts';
import type { Guard, Store, Write } from './store.ts';

interface AnnouncementsOptions {
  readonly store: Store;
  readonly mirror: Mirror;
  readonly instances: Instances;
  readonly commits: Commits;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Whether one whose agent is silent is this side's to take away; default: all are. */
  readonly expires?: (instance: Instance) => boolean;
}

/**
 * The announced instances in etcd. Beside each goes a key with a lease of its own, which any manager may keep alive; when it
 * is gone, so is the instance's time.
 */
export class EtcdAnnouncements implements Announcements {
  readonly #options: AnnouncementsOptions;

  constructor(options: AnnouncementsOptions) {
    this.#options = options;
  }

  async announce(announcement: Announcement, ttlMs: number): Promise<Instance> {
    const { store, mirror, commits } = this.#options;
    await mirror.ready();
    const lease = await store.grant(secondsOf(ttlMs));
    return commits.run(() => this.#plan(announcement, ttlMs, lease));
  }

  async renew(agent: string, ids: readonly string[], ttlMs: number): Promise<readonly string[]> {
    const { mirror, instances } = this.#options;
    await mirror.ready();
    const lost = await Promise.all(
      ids.map(async (id) => {
        const kept = instances.get(id);
        return kept?.instance.agent?.id === agent && (await this.#renewOne(kept, ttlMs)) ? [] : [id];
      }),
    );
    return lost.flat();
  }

  async expire(): Promise<readonly Instance[]> {
    const { mirror, instances, commits } = this.#options;
    await mirror.ready();
    const expired = this.#expired(instances.rows()).map(({ id }) => commits.run(() => this.#removal(id)));
    return (await Promise.all(expired)).flatMap((instance) => instance ?? []);
  }

  #expired(instances: readonly Instance[]): Instance[] {
    if (!instances.some(({ agent }) => agent !== null)) return [];
    const silent = dispensable(instances, ({ id, agent }) => agent !== null && this.#hasExpired(id));
    return silent.filter(this.#options.expires ?? (() => true));
  }

  /** Null: another manager was quicker, or the agent is back. */
  #removal(id: string): Plan<Instance | null> {
    const kept = this.#options.instances.get(id);
    if (kept === null || !this.#hasExpired(id)) {
      return { guards: [], writes: [], isDesired: true, result: () => null };
    }
    const { entry, instance } = kept;
    const guards: Guard[] = [
      { name: entry.name, modified: entry.modified },
      { name: NAMES.announced(id), created: 0 },
    ];
    return { guards, writes: [{ remove: entry.name }], isDesired: true, result: () => instance };
  }

  /** @throws {HeimdallError} PORT_TAKEN, LIFECYCLE_CONFLICT. */
  #plan(announcement: Announcement, ttlMs: number, lease: string): Plan<Instance> {
    const { agent, host, port } = announcement;
    const holder = this.#options.instances.at(host, port);
    if (holder !== null) assertGives(holder.instance, agent.id, this.#isOverdue(holder.instance.id));
    const next = announcedInstance(announcement, holder?.instance ?? null, this.#options.clock());
    const isKept = holder?.instance.id === next.id;
    const isSame = isKept && isDeepStrictEqual(next, holder.instance);
    const guards: Guard[] = [{ name: NAMES.instance(host, port), modified: holder?.entry.modified ?? 0 }];
    const writes: Write[] = [{ put: NAMES.announced(next.id), value: ttlMs, lease }];
    if (holder !== null && !isKept) {
      writes.push({ remove: holder.entry.name }, { remove: NAMES.announced(holder.instance.id) });
    }
    if (isSame) return { guards, writes, isDesired: false, result: () => next };
    const since = isKept ? (holder.since ?? holder.entry.created) : null;
    const put = putInstance(next, since, isKept ? holder.place : 0);
    const kept = writes.filter((write) => !('remove' in write && write.remove === holder?.entry.name)); // one key, one write
    return { guards, writes: [...kept, put], isDesired: true, result: () => next };
  }

  /** False: it is not there any more. */
  async #renewOne({ instance, entry }: KeptInstance, ttlMs: number): Promise<boolean> {
    const { store, mirror } = this.#options;
    const sign = mirror.get(NAMES.announced(instance.id));
    const isAsLong = sign !== null && valueIfValid(FORM.number, sign) === ttlMs;
    if (isAsLong && sign.lease !== null && (await store.keepAlive(sign.lease))) return true;
    const put: Write = {
      put: NAMES.announced(instance.id),
      value: ttlMs,
      lease: await store.grant(secondsOf(ttlMs)),
    };
    const { done, revision } = await store.commit([{ name: entry.name, created: entry.created }], [put]);
    if (done) await mirror.reach(revision);
    return done;
  }

  /**
   * Whose lease was seen to go is gone; one that had none when the registry was first read, or read again after a time out
   * of reach, gets its time to be heard again.
   */
  #hasExpired(id: string): boolean {
    const { mirror } = this.#options;
    if (!this.#isOverdue(id)) return false;
    return performance.now() - mirror.settledAt > ANNOUNCEMENT_TTL_MS || mirror.hasSeenGo(NAMES.announced(id));
  }

  #isOverdue(id: string): boolean {
    return this.#options.mirror.get(NAMES.announced(id)) === null;
  }
}

function secondsOf(ttlMs: number): number {
  return Math.max(1, Math.ceil(ttlMs / 1_000));
}
