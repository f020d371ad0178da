import { hostname } from 'node:os';
import type { Logger } from '../../../pkg/logger/logger.ts';
import { HeimdallError } from '../../model/errors.ts';
import { HEARTBEAT_LIMIT_MS } from '../registry.ts';
import { closed } from './faults.ts';
import { pauseFor } from './members.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import { FORM, type ManagerEntry } from './forms.ts';
import type { Entry, Guard, Store } from './store.ts';

const LEASE_SECONDS = HEARTBEAT_LIMIT_MS / 1_000;
/** Between two looks at whether the manager before this one is there still, in milliseconds. */
const LOOK_MS = 250;

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
  #created = 0;

  private constructor(options: TenureOptions) {
    this.#options = options;
  }

  /**
   * Waits for a lease that somebody has left behind; whoever renews it is not waited for.
   * @param patienceMs - for how long it is waited.
   * @throws {HeimdallError} MANAGER_RUNNING.
   */
  static async begin(options: TenureOptions, patienceMs: number): Promise<Tenure> {
    const tenure = new Tenure(options);
    const end = performance.now() + patienceMs;
    let least = Number.POSITIVE_INFINITY;
    for (;;) {
      const other = await tenure.#take();
      if (other === null) return tenure;
      const left = other.lease === null ? Number.POSITIVE_INFINITY : await options.store.timeLeft(other.lease);
      if (performance.now() >= end || left > least || other.lease === null) {
        await tenure.#drop();
        throw running(other);
      }
      least = Math.min(least, left);
      await pauseFor(LOOK_MS, options.store.members.closing);
    }
  }

  get token(): string {
    return this.#options.me.token;
  }

  /** Holds as long as the node is this manager's. */
  get guard(): Guard {
    return { name: this.#name, created: this.#created };
  }

  /** A sign of life. @throws {HeimdallError} MANAGER_RUNNING when another one has the node by now. */
  async renew(): Promise<void> {
    if (this.#lease === null || !(await this.#options.store.keepAlive(this.#lease))) await this.#takeAgain();
  }

  /** Takes the node again if it was lost. @throws {HeimdallError} MANAGER_RUNNING. */
  async confirm(): Promise<void> {
    const { entry } = await this.#options.store.get(this.#name);
    if (entry === null || entry.created !== this.#created) await this.#takeAgain();
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

  /** Returns who has the node; null: this one. */
  async #take(): Promise<Entry | null> {
    const { store, me } = this.#options;
    if (store.members.closing.aborted) throw closed(store.members.name);
    this.#lease ??= await store.grant(LEASE_SECONDS);
    const write = { put: this.#name, value: me, lease: this.#lease };
    const { done, revision } = await store.commit([{ name: this.#name, created: 0 }], [write]).catch(() => {
      return { done: false, revision: 0 }; // what came of it is seen below
    });
    if (done) {
      this.#created = revision;
      return null;
    }
    const { entry } = await store.get(this.#name);
    if (entry === null) return this.#take();
    if (valueOf(FORM.manager, entry).token !== me.token) return entry;
    this.#created = entry.created;
    this.#lease = entry.lease;
    return null;
  }

  async #drop(): Promise<void> {
    const lease = this.#lease;
    this.#lease = null;
    if (lease !== null) await this.#options.store.revoke(lease).catch(() => undefined); // it ends by itself
  }
}

/** Who this manager is. @param clock - epoch milliseconds. */
export function managerOf(node: string, pid: number, startedAt: number, token: string): ManagerEntry {
  return { node, pid, host: hostname(), startedAt, token };
}

function running(entry: Entry): HeimdallError {
  const { node, pid, host } = valueOf(FORM.manager, entry);
  return new HeimdallError(
    'MANAGER_RUNNING',
    `Another manager (pid ${pid} on ${host}) has the node ${node}. Stop it first, or set node.name to another name.`,
    { node, pid, host },
  );
}
