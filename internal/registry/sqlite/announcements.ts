import type { Instance } from '../../model/instance.ts';
import { announcedInstance, assertGives, dispensable } from '../announced.ts';
import { ANNOUNCEMENT_TTL_MS, type Announcement, type Announcements } from '../announcements.ts';
import type { Connection } from './connection.ts';
import type { Handle } from './handle.ts';
import { insertInstance, raiseRevision, updateInstance } from './instances.ts';
import { readAnnouncedIds, readInstanceAt, readInstancesChangedAfter } from './queries.ts';

/** It is looked every second for what is overdue; after so long without a look nobody was heard either, or the clock was set. Milliseconds. */
const PAUSE_MS = ANNOUNCEMENT_TTL_MS / 2;

/**
 * The announced instances of the SQLite registry. How long each may stay only its manager knows, for a sign of life shall
 * cost no write; so every agent gets its time to be heard again when a manager begins, or goes on after a pause.
 */
export class SqliteAnnouncements implements Announcements {
  readonly #connection: Connection;
  readonly #clock: () => number;
  #since: number;
  #lookedAt: number;
  /** By id, in epoch milliseconds. */
  readonly #deadlines = new Map<string, number>();

  constructor(connection: Connection, clock: () => number) {
    this.#connection = connection;
    this.#clock = clock;
    this.#since = clock();
    this.#lookedAt = this.#since;
  }

  async announce(announcement: Announcement, ttlMs: number): Promise<Instance> {
    return this.#connection.write((handle) => {
      const { agent, host, port } = announcement;
      const holder = readInstanceAt(handle, host, port);
      if (holder !== null) assertGives(holder, agent.id, this.#isOverdue(holder));
      const next = announcedInstance(announcement, holder, this.#clock());
      this.#deadlines.set(next.id, this.#clock() + ttlMs); // before anybody looks for what is overdue
      if (holder?.id !== next.id) {
        if (holder !== null) handle.run('DELETE FROM instances WHERE id = ?', holder.id);
        insertInstance(handle, next);
        raiseRevision(handle);
      } else if (updateInstance(handle, holder, next)) raiseRevision(handle);
      return next;
    });
  }

  async renew(agent: string, ids: readonly string[], ttlMs: number): Promise<readonly string[]> {
    const known = new Set(await this.#connection.read((handle) => readAnnouncedIds(handle, agent)));
    for (const id of ids) if (known.has(id)) this.#deadlines.set(id, this.#clock() + ttlMs);
    return ids.filter((id) => !known.has(id));
  }

  async expire(): Promise<readonly Instance[]> {
    this.#beginAnewAfterPause();
    const ids = await this.#connection.read((handle) => readAnnouncedIds(handle, null));
    const present = new Set(ids);
    for (const id of this.#deadlines.keys()) if (!present.has(id)) this.#deadlines.delete(id);
    if (!ids.some((id) => this.#isOverdue({ id }))) return [];
    const dispensable = await this.#connection.read((handle) => this.#dispensable(handle));
    if (dispensable.length === 0) return [];
    return this.#connection.write((handle) => {
      const gone = this.#dispensable(handle);
      for (const { id } of gone) handle.run('DELETE FROM instances WHERE id = ?', id);
      if (gone.length > 0) raiseRevision(handle);
      return gone;
    });
  }

  /** What is overdue, but for the last instances of a service. */
  #dispensable(handle: Handle): readonly Instance[] {
    const instances = readInstancesChangedAfter(handle, -1);
    return dispensable(instances, (instance) => instance.agent !== null && this.#isOverdue(instance));
  }

  #beginAnewAfterPause(): void {
    const now = this.#clock();
    if (Math.abs(now - this.#lookedAt) > PAUSE_MS) {
      this.#since = now;
      this.#deadlines.clear();
    }
    this.#lookedAt = now;
  }

  #isOverdue({ id }: Pick<Instance, 'id'>): boolean {
    return (this.#deadlines.get(id) ?? this.#since + ANNOUNCEMENT_TTL_MS) <= this.#clock();
  }
}
