import { randomUUID } from 'node:crypto';
import { HeimdallError } from '../../model/errors.ts';
import { isRefusal } from './faults.ts';
import { type Members, pauseFor } from './members.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { type Guard, MOST_WRITES, type Outcome, type Store, type Write } from './store.ts';
import type { Tenure } from './tenure.ts';

/** How often a change is tried when others change the same, or members fail. */
const TRIES = 40;
const LONGEST_PAUSE_MS = 200;
/** Beside what a commit writes of its own. */
const ROOM = MOST_WRITES - 2;
/** In one round: what has to wait for something in front of it is planned again. */
const MOST_PLANNED = 2 * MOST_WRITES;

/** A change as it is to be carried out on what is known now. */
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
  readonly store: Pick<Store, 'get' | 'commit'> & { readonly members: Pick<Members, 'name' | 'closing'> };
  readonly mirror: Pick<Mirror, 'ready' | 'reach' | 'agree' | 'get'>;
  /** Null: of an agent, which has no node. */
  readonly tenure: Pick<Tenure, 'guard' | 'confirm'> | null;
  /** Or the agent's name. */
  readonly node: string;
}

/** A change that somebody waits for. */
interface Job {
  readonly plan: () => Step;
  readonly reject: (error: unknown) => void;
  tries: number;
  /** Something in a commit was refused, which may have been this. */
  isSuspect: boolean;
}

interface Step extends Omit<Plan<unknown>, 'result'> {
  readonly settle: (revision: number) => void;
}

interface Planned {
  readonly job: Job;
  readonly step: Step;
}

/**
 * The commits of one manager or agent, one after the other. What waits for its turn goes together into the next one, as far as
 * it concerns different keys: each change is planned on what is in memory, guarded by the revisions of that, and planned
 * anew when they have changed meanwhile. Each commit leaves its own mark, and is guarded by the one before: so one whose
 * answer was lost is never carried out twice, and never taken for failed.
 */
export class Commits {
  readonly #options: CommitsOptions;
  readonly #mark: string;
  #waiting: Job[] = [];
  #isBusy = false;
  /** The revision of the last mark; null: not known. */
  #marked: number | null = null;

  constructor(options: CommitsOptions) {
    this.#options = options;
    this.#mark = NAMES.commit(options.node);
  }

  /** @param plan - may be asked again; what it throws changes nothing. @throws {HeimdallError} REGISTRY_UNAVAILABLE, MANAGER_RUNNING. */
  run<T>(plan: () => Plan<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const step = (): Step => {
      const { result, ...rest } = plan();
      return { ...rest, settle: (revision) => resolve(result(revision)) };
    };
    this.#waiting.push({ plan: step, reject, tries: 0, isSuspect: false });
    if (!this.#isBusy) void this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    try {
      while (this.#waiting.length > 0) await this.#round();
    } finally {
      this.#isBusy = false;
    }
  }

  async #round(): Promise<void> {
    try {
      await this.#options.mirror.ready();
    } catch (error) {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      return;
    }
    const batch = this.#gather();
    if (batch.length === 0) return;
    try {
      await this.#carryOut(batch);
    } catch (error) {
      this.#marked = null;
      for (const { job } of batch) job.reject(error);
    }
  }

  /**
   * Plans what can be carried out together, and takes it out of those that wait. What concerns the same as something in front
   * of it waits for the next round; so does what there is nothing to do for, or is refused, as something in front may change that.
   */
  #gather(): Planned[] {
    const batch: Planned[] = [];
    const later: Job[] = [];
    const taken = new Set<string>();
    let [at, guards, writes] = [0, 0, 0];
    for (; at < MOST_PLANNED && writes < ROOM; at += 1) {
      const job = this.#waiting[at];
      if (job === undefined) break;
      const isFirst = batch.length === 0 && later.length === 0;
      const step = this.#planned(job, isFirst);
      if (step === 'over') continue;
      if (step === 'refused') break;
      const names = namesOf(step);
      const isFree = step.writes.length > 0 && names.every((name) => !taken.has(name));
      for (const name of names) taken.add(name);
      const isAlone = job.isSuspect || batch[0]?.job.isSuspect === true;
      if (isFirst || (isFree && !isAlone && fits(step, guards, writes))) {
        batch.push({ job, step });
        guards += step.guards.length;
        writes += step.writes.length;
      } else later.push(job);
    }
    this.#waiting.splice(0, at, ...later);
    return batch;
  }

  #planned(job: Job, isFirst: boolean): Step | 'over' | 'refused' {
    try {
      const step = job.plan();
      if (step.writes.length > 0 || !isFirst) return step;
      step.settle(this.#options.mirror.get(NAMES.revision)?.modified ?? 0);
    } catch (error) {
      if (!isFirst) return 'refused';
      job.reject(error);
    }
    return 'over';
  }

  async #carryOut(batch: readonly Planned[]): Promise<void> {
    const { store, mirror, tenure, node } = this.#options;
    this.#marked ??= (await store.get(this.#mark)).entry?.modified ?? 0;
    const token = randomUUID();
    const marked: Guard = { name: this.#mark, modified: this.#marked };
    const ofNode = tenure === null ? [] : [tenure.guard];
    const guards = [...batch.flatMap(({ step }) => step.guards), ...ofNode, marked];
    const writes: Write[] = [...batch.flatMap(({ step }) => step.writes), { put: this.#mark, value: token }];
    if (batch.some(({ step }) => step.isDesired)) writes.push({ put: NAMES.revision, value: node });
    let outcome: Outcome | null = null;
    try {
      outcome = await store.commit(guards, writes);
    } catch (error) {
      if (!isRefusal(error)) outcome = await this.#whatCameOf(token, this.#marked);
      else if (batch.length === 1) throw error;
      else for (const { job } of batch) job.isSuspect = true;
    }
    if (outcome?.done === true) {
      this.#marked = outcome.revision;
      await mirror.reach(outcome.revision).catch(() => undefined); // it is done, whether that can be seen at present or not
      for (const { step } of batch) step.settle(outcome.revision);
      return;
    }
    if (outcome !== null) await this.#findOut(outcome);
    await this.#tryAgain(batch);
  }

  /**
   * Whether a commit was carried out whose answer was lost. If it was not, it never will be: a mark of its own takes the
   * place of the one that it is guarded by.
   * @throws {HeimdallError} REGISTRY_UNAVAILABLE: that is not known.
   */
  async #whatCameOf(token: string, marked: number): Promise<Outcome> {
    const { store } = this.#options;
    const found = new Map<string, number>();
    for (let attempt = 1; ; attempt += 1) {
      const { entry } = await store.get(this.#mark);
      const modified = entry?.modified ?? 0;
      this.#marked = modified;
      if (entry?.value === JSON.stringify(token)) return { done: true, revision: modified, found };
      if (modified !== marked) return { done: false, revision: modified, found };
      try {
        await store.commit([{ name: this.#mark, modified: marked }], [{ put: this.#mark, value: randomUUID() }]);
      } catch (error) {
        if (isRefusal(error) || attempt >= TRIES) throw error;
        await this.#pause(attempt);
      }
    }
  }

  /** Why a commit was not carried out; resolves when the plans would be others. @throws {HeimdallError} MANAGER_RUNNING. */
  async #findOut(outcome: Outcome): Promise<void> {
    const { mirror, tenure } = this.#options;
    this.#marked = outcome.found.get(this.#mark) ?? this.#marked;
    const held = tenure && outcome.found.get(tenure.guard.name);
    if (tenure !== null && held !== tenure.guard.modified) await tenure.confirm();
    await mirror.agree(outcome);
  }

  async #tryAgain(batch: readonly Planned[]): Promise<void> {
    const { store } = this.#options;
    const jobs = batch.map(({ job }) => job);
    for (const job of jobs) job.tries += 1;
    const message = `The registry ${store.members.name} is changed by others too often. Try again in a moment.`;
    for (const { reject } of jobs.filter(({ tries }) => tries >= TRIES)) {
      reject(new HeimdallError('REGISTRY_UNAVAILABLE', message));
    }
    this.#waiting.unshift(...jobs.filter(({ tries }) => tries < TRIES));
    await this.#pause(Math.max(...jobs.map(({ tries }) => tries)));
  }

  async #pause(attempt: number): Promise<void> {
    const longest = Math.min((attempt - 1) * 5, LONGEST_PAUSE_MS);
    if (longest > 0) await pauseFor(longest * Math.random(), this.#options.store.members.closing);
  }
}

function fits(step: Step, guards: number, writes: number): boolean {
  return guards + step.guards.length <= ROOM && writes + step.writes.length <= ROOM;
}

function namesOf({ guards, writes }: Step): string[] {
  return [...guards.map(({ name }) => name), ...writes.map((write) => ('put' in write ? write.put : write.remove))];
}
