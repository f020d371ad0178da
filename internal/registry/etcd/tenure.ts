import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from '../../../pkg/logger/logger.ts';
import { HeimdallError } from '../../model/errors.ts';
import { HEARTBEAT_LIMIT_MS } from '../registry.ts';
import { unlessRefused } from './faults.ts';
import { pauseFor } from './members.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import { FORM, type ManagerEntry } from './forms.ts';
import { hasEnded, processPlace } from './process-place.ts';
import type { Entry, Store } from './store.ts';

const LEASE_SECONDS = HEARTBEAT_LIMIT_MS / 1_000;
/** Between two looks at whether the manager before this one is there still, in milliseconds. */
const LOOK_MS = 250;
/** Whoever lives renews the lease every second. With so little left nobody does; the node is taken before it counts as away. */
const FORSAKEN_SECONDS = 1;

interface TenureOptions {
  readonly store: Store;
  readonly me: ManagerEntry;
  readonly log: Logger | undefined;
}

/**
 * One manager per node: a key that goes with the manager's lease. Every commit of the manager is guarded by it, so that one
 * that was silent for longer than its lease changes nothing before it has the node again, and nothing at all while another has it.
 */
export class Tenure {
  readonly #options: TenureOptions;
  #lease: string | null = null;
  #since = 0;

  private constructor(options: TenureOptions) {
    this.#options = options;
  }

  /**
   * Takes the node, also from a manager that is known to have ended, or does not renew its lease; one that does is not waited for.
   * @param patienceMs - for how long it is watched whether it does.
   * @throws {HeimdallError} MANAGER_RUNNING.
   */
  static async begin(options: TenureOptions, patienceMs: number): Promise<Tenure> {
    const tenure = new Tenure(options);
    const end = performance.now() + patienceMs;
    let first: { readonly left: number; readonly at: number } | null = null;
    for (;;) {
      const other = await tenure.#take();
      if (other === null) return tenure;
      const left = other.lease === null ? Number.POSITIVE_INFINITY : await options.store.timeLeft(other.lease);
      const { pid, place } = valueOf(FORM.manager, other);
      const isForsaken = left <= FORSAKEN_SECONDS || hasEnded(pid, place, options.me.place);
      if (isForsaken && (await tenure.#take(other)) === null) return tenure;
      first ??= { left, at: performance.now() };
      const unrenewed = first.left - (performance.now() - first.at) / 1_000;
      if (performance.now() >= end || left > unrenewed + 1 || other.lease === null) {
        await tenure.#drop();
        throw running(other);
      }
      await pauseFor(LOOK_MS, options.store.members.closing);
    }
  }

  get token(): string {
    return this.#options.me.token;
  }

  /** The revision in which this manager took the node. */
  get since(): number {
    return this.#since;
  }

  /** Holds as long as the node is this manager's. */
  get guard(): { readonly name: string; readonly modified: number } {
    return { name: this.#name, modified: this.#since };
  }

  /** A sign of life. @throws {HeimdallError} MANAGER_RUNNING when another one has the node by now. */
  async renew(): Promise<void> {
    if (this.#lease === null || !(await this.#options.store.keepAlive(this.#lease))) await this.#takeAgain();
  }

  /** Takes the node again if it was lost. @throws {HeimdallError} MANAGER_RUNNING. */
  async confirm(): Promise<void> {
    const { entry } = await this.#options.store.get(this.#name);
    if (entry?.modified !== this.#since) await this.#takeAgain();
  }

  /** The next one can begin at once. */
  async end(): Promise<void> {
    const { store } = this.#options;
    await store.commit([this.guard], [{ remove: this.#name }]);
    await this.#drop();
  }

  get #name(): string {
    return NAMES.manager(this.#options.me.node);
  }

  async #takeAgain(): Promise<void> {
    const { me, log } = this.#options;
    this.#lease = null;
    const other = await this.#take();
    if (other !== null) {
      await this.#drop();
      throw running(other);
    }
    log?.warn({ node: me.node }, 'this manager was out of touch with the registry; the node is its again');
  }

  /**
   * Returns who has the node; null: this one.
   * @param from - whose the node was when it was found to be forsaken; it is not taken from anybody else.
   */
  async #take(from: Entry | null = null): Promise<Entry | null> {
    const { store, me } = this.#options;
    const { entry: present } = await store.get(this.#name);
    if (present !== null && present.modified !== from?.modified) return this.#isMine(present) ? null : present;
    this.#lease = await store.grant(LEASE_SECONDS);
    const write = { put: this.#name, value: me, lease: this.#lease };
    const guard = { name: this.#name, modified: present?.modified ?? 0 };
    const { done, revision } = await store.commit([guard], [write]).catch(unlessRefused);
    if (done) {
      this.#since = revision;
      return null;
    }
    await this.#drop();
    return this.#take();
  }

  #isMine(entry: Entry): boolean {
    if (valueOf(FORM.manager, entry).token !== this.token) return false;
    this.#since = entry.modified;
    this.#lease = entry.lease;
    return true;
  }

  async #drop(): Promise<void> {
    const lease = this.#lease;
    this.#lease = null;
    if (lease !== null) await this.#options.store.revoke(lease).catch(() => undefined); // it ends by itself
  }
}

/** Who this manager is. */
export async function managerOf(who: Omit<ManagerEntry, 'host' | 'place' | 'token'>): Promise<ManagerEntry> {
  return { ...who, host: hostname(), place: await processPlace(), token: randomUUID() };
}

function running(entry: Entry): HeimdallError {
  const { node, pid, host } = valueOf(FORM.manager, entry);
  return new HeimdallError(
    'MANAGER_RUNNING',
    `Another manager (pid ${pid} on ${host}) has the node ${node}. Stop it first, or set node.name to another name.`,
    { node, pid, host },
  );
}
