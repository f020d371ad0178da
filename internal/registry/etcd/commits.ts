import { randomUUID } from 'node:crypto';
import { HeimdallError } from '../../model/errors.ts';
import { faultOf, isFinal } from './faults.ts';
import { pauseFor } from './members.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import type { Guard, Store, Write } from './store.ts';
import type { Tenure } from './tenure.ts';

/** How often a commit is tried when others change the same, or members fail. */
const TRIES = 40;
const LONGEST_PAUSE_MS = 200;

/** A commit as it is to be carried out on what is known now. */
export interface Plan<T> {
  /** Of what it was made from. */
  readonly guards: readonly Guard[];
  /** None: nothing is to be changed. */
  readonly writes: readonly Write[];
  /** Whether load balancers and managers have to hear of it. */
  readonly isDesired: boolean;
  /** @param revision - in which it is in force. */
  readonly result: (revision: number) => T;
}

interface CommitsOptions {
  readonly store: Store;
  readonly mirror: Mirror;
  /** Null: of an agent, which has no node. */
  readonly tenure: Pick<Tenure, 'guard' | 'confirm'> | null;
  /** Or the agent's name. */
  readonly node: string;
}

/**
 * The commits of one manager or agent, one after the other: planned on what is in memory, guarded by the revisions of that, and
 * planned anew when they have changed meanwhile. Each leaves its own mark, which the next one is guarded by: so one whose
 * answer was lost is never carried out twice, and never taken for failed.
 */
export class Commits {
  readonly #options: CommitsOptions;
  /** The revision of the last mark; null: not known. */
  #marked: number | null = null;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** @param plan - may be asked again; what it throws changes nothing. @throws {HeimdallError} REGISTRY_UNAVAILABLE, MANAGER_RUNNING. */
  run<T>(plan: () => Plan<T> | Promise<Plan<T>>): Promise<T> {
    const result = this.#tail.then(() => this.#carryOut(plan));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #carryOut<T>(make: () => Plan<T> | Promise<Plan<T>>): Promise<T> {
    const { mirror, store } = this.#options;
    const tried = new Map<string, Plan<T>>();
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      await mirror.ready();
      const plan = await make();
      if (plan.writes.length === 0) return plan.result(mirror.get(NAMES.revision)?.modified ?? 0);
      const done = await this.#try(plan, tried);
      if (done !== null) {
        await mirror.reach(done.revision).catch(() => undefined); // it is done, whether that can be seen at present or not
        return done.plan.result(done.revision);
      }
      await pauseFor(Math.min(attempt * 5, LONGEST_PAUSE_MS) * Math.random(), store.members.closing);
    }
    const message = `The registry ${store.members.name} is changed by others too often. Try again in a moment.`;
    throw new HeimdallError('REGISTRY_UNAVAILABLE', message);
  }

  /**
   * Null: not done, as something has changed meanwhile.
   * @param tried - plans that may have been carried out after all, by the mark that they leave.
   */
  async #try<T>(plan: Plan<T>, tried: Map<string, Plan<T>>): Promise<{ plan: Plan<T>; revision: number } | null> {
    const { store, tenure, node } = this.#options;
    const mark = NAMES.commit(node);
    const token = randomUUID();
    this.#marked ??= (await store.get(mark)).entry?.modified ?? 0;
    const ofNode = tenure === null ? [] : [tenure.guard];
    const guards = [...plan.guards, ...ofNode, { name: mark, modified: this.#marked }];
    const writes: Write[] = [...plan.writes, { put: mark, value: token }];
    if (plan.isDesired) writes.push({ put: NAMES.revision, value: node });
    tried.set(JSON.stringify(token), plan);
    try {
      const { done, revision } = await store.commit(guards, writes);
      this.#marked = done ? revision : null;
      if (done) return { plan, revision };
    } catch (error) {
      this.#marked = null;
      if (isFinal(error)) throw faultOf(error, store.members.name);
    }
    const { entry } = await store.get(mark); // what was lost may be the answer alone
    const carriedOut = tried.get(entry?.value ?? '');
    if (carriedOut !== undefined) return { plan: carriedOut, revision: entry?.modified ?? 0 };
    await tenure?.confirm();
    return null;
  }
}
