import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../model/errors.ts';
import { type HealthRecord, unhealthyOf } from '../model/health.ts';
import { incarnationOf } from '../model/incarnation.ts';
import type { Instance } from '../model/instance.ts';
import type { Release } from '../model/release.ts';
import type { Service } from '../model/service.ts';
import type { ServiceState } from '../model/service-state.ts';
import { isRegistryAway, type Snapshot } from '../registry/registry.ts';
import { draftOf, type Place } from './draft.ts';
import type { Fleet } from './fleet.ts';
import { logTailOf } from './log-tail.ts';
import { type Member, nextStep, type RolloutLimits, type RolloutStep } from './rollout-plan.ts';
import { inSeconds } from './running-process.ts';
import type { Supervisor } from './supervisor.ts';
import type { SupervisorContext } from './supervisor-context.ts';

const TICK_MS = 100;
/** Between two questions for an objection while nothing is done: load balancers tell of their traffic once a second. */
const OBJECTION_MS = 500;

/** Why a rollout cannot go on. */
export class RolloutFailure extends Error {
  readonly instanceId: string | null;
  readonly logTail: readonly string[];

  constructor(message: string, instanceId: string | null = null, logTail: readonly string[] = []) {
    super(message);
    this.name = 'RolloutFailure';
    this.instanceId = instanceId;
    this.logTail = logTail;
  }
}

export interface RolloutOptions {
  readonly context: SupervisorContext;
  readonly fleet: Fleet;
  /** Where spawned instances are reached. */
  readonly place: Place;
  /** As it is configured now; undefined once it is not any more. */
  readonly service: () => Service | undefined;
  readonly name: string;
  /** What is to run in the end. */
  readonly release: Release;
  readonly goesBack: boolean;
  /** Tells of something that was done or seen. */
  readonly tell: (message: string, instanceId: string | null) => void;
  /** Asked before anything is done, and every now and then meanwhile; what it returns is the reason to give up. */
  readonly objection: () => Promise<string | null>;
}

/**
 * Replaces the instances of a service until all of them run one release. What it does next follows from what is there, so
 * it may be begun in the middle. Going forward it gives up at the first fault of the new release; going back it does what
 * it can within twice the time that an instance has to get ready, and then takes away what is left of the other release.
 */
export class Rollout {
  readonly #options: RolloutOptions;
  readonly #conditions = new Map<string, Member['condition']>();
  readonly #startedAt: number;
  #failure: RolloutFailure | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isStuck = false;

  constructor(options: RolloutOptions) {
    this.#options = options;
    this.#startedAt = options.context.clock();
  }

  /**
   * @throws {RolloutFailure} going forward.
   * @throws the signal's reason when it is aborted: everything stays as it is then.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { context } = this.#options;
    while (!(await this.#tick(signal))) await sleep(TICK_MS, undefined, { signal }).catch(() => {});
    context.log.debug({ service: this.#options.name }, 'the rollout is done');
  }

  /** How many instances of the release take requests. */
  get available(): number {
    return this.#supervisors().filter(({ instance }) => this.#isWanted(instance) && instance.lifecycle === 'ready')
      .length;
  }

  /** Whether there are no instances at all, and none was wanted. */
  get isEmpty(): boolean {
    return this.#supervisors().length === 0;
  }

  /** @returns whether everything is done. */
  async #tick(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    if (this.#failure !== null) throw this.#failure;
    const service = this.#options.service();
    if (service?.command === undefined) throw new RolloutFailure(`${this.#options.name} is not configured any more`);
    const picture = await this.#look();
    signal.throwIfAborted();
    if (picture === null) return false;
    const members = this.#members(service, picture.health);
    const state = picture.snapshot.services.find((each) => each.service === service.name);
    const step = nextStep(members, state?.desired ?? 0, this.#limits(service));
    await this.#ask(step);
    signal.throwIfAborted();
    if (step.isDone) return true;
    for (const id of step.retire) this.#retire(id);
    await this.#start(service, step.start, state);
    return false;
  }

  /** Null while the registry cannot be reached: nothing is decided then. */
  async #look(): Promise<{ readonly snapshot: Snapshot; readonly health: readonly HealthRecord[] } | null> {
    const { registry } = this.#options.context;
    try {
      const [snapshot, health] = await Promise.all([registry.own(), registry.health()]);
      return { snapshot, health };
    } catch (error) {
      if (isRegistryAway(error)) return null;
      throw error;
    }
  }

  /** @throws {RolloutFailure} when there is an objection. */
  async #ask({ isDone, start, retire }: RolloutStep): Promise<void> {
    const now = this.#options.context.clock();
    const isDecision = isDone || start > 0 || retire.length > 0;
    if (!isDecision && now - this.#askedAt < OBJECTION_MS) return;
    this.#askedAt = now;
    const objection = await this.#options.objection();
    if (objection !== null) throw new RolloutFailure(objection);
  }

  #limits({ rollout, readiness }: Service): RolloutLimits {
    const { goesBack, context } = this.#options;
    const isLate = goesBack && context.clock() - this.#startedAt > 2 * readiness.deadline;
    return {
      maxSurge: rollout.maxSurge,
      maxUnavailable: isLate ? Number.POSITIVE_INFINITY : rollout.maxUnavailable,
      goesBack,
    };
  }

  #members(service: Service, health: readonly HealthRecord[]): Member[] {
    const unhealthy = unhealthyOf(health);
    return this.#supervisors().map((supervisor) => {
      const { instance } = supervisor;
      const isWanted = this.#isWanted(instance);
      const trouble = unhealthy.get(incarnationOf(instance))?.cause ?? null;
      const condition = this.#condition(supervisor, service, isWanted, trouble);
      this.#note(instance, isWanted, condition);
      return { id: instance.id, isWanted, condition };
    });
  }

  /** @param trouble - why load balancers do not use it; null when they do. */
  #condition(supervisor: Supervisor, service: Service, isWanted: boolean, trouble: string | null): Member['condition'] {
    const { instance, isLeaving, readySince } = supervisor;
    if (isLeaving) return 'leaving';
    if (instance.lifecycle === 'starting') return 'starting';
    if (readySince === null) return this.#broken(supervisor, isWanted);
    if (!isWanted) return trouble === null ? 'available' : 'broken';
    if (this.#options.goesBack) return 'available';
    const { rollout, readiness } = service;
    const readyMs = this.#options.context.clock() - readySince;
    if (trouble === null) return readyMs >= rollout.minHealthy ? 'available' : 'warming';
    if (readyMs > rollout.minHealthy + readiness.deadline) {
      throw new RolloutFailure(
        `${instance.id} is ready, but load balancers find it unhealthy: ${trouble}`,
        instance.id,
      );
    }
    return 'warming';
  }

  #broken({ instance: { id }, fault }: Supervisor, isWanted: boolean): 'broken' {
    if (isWanted && fault !== null && !this.#options.goesBack) {
      this.#failure ??= new RolloutFailure(`${id} ${fault.message}`, id, fault.logTail);
    }
    return 'broken';
  }

  #retire(id: string): void {
    const { fleet, context } = this.#options;
    const supervisor = fleet.get(id);
    if (supervisor === undefined) return;
    this.#options.tell(`${id} gets no more requests, and is stopped when it has answered those it has`, id);
    fleet.retire(supervisor, { force: false, desiredDelta: 0, evenUnmarked: false }).then(
      () => this.#options.tell(`${id} is stopped`, id),
      (error: unknown) => context.log.warn({ instance: id, reason: messageOf(error) }, 'not removed yet'),
    );
  }

  async #start(service: Service, count: number, state: ServiceState | undefined): Promise<void> {
    if (count === 0) return;
    const { context, fleet, place, release, goesBack } = this.#options;
    const draft = draftOf(service.name, release, state, place);
    let instances: readonly Instance[];
    try {
      instances = await context.ports.reserve(
        Array.from({ length: count }, () => draft),
        0,
      );
    } catch (error) {
      if (isRegistryAway(error)) return;
      if (!goesBack) throw new RolloutFailure(messageOf(error));
      if (!this.#isStuck) this.#options.tell(`no instance could be started yet: ${messageOf(error)}`, null);
      this.#isStuck = true; // told once: it is tried until it can be done
      return;
    }
    for (const instance of instances) {
      const started = fleet.add(instance, service).start({ giveUp: !goesBack, fixedPort: false });
      started.catch((error: unknown) => {
        if (!goesBack) this.#failure ??= new RolloutFailure(messageOf(error), instance.id, logTailOf(error));
      });
    }
  }

  /** Tells what has changed about an instance since the last look. */
  #note({ id, port }: Instance, isWanted: boolean, condition: Member['condition']): void {
    const before = this.#conditions.get(id);
    this.#conditions.set(id, condition);
    if (before === condition || (before === undefined && !isWanted)) return;
    const { tell, context } = this.#options;
    const sinceMs = context.clock() - this.#startedAt;
    if (condition === 'starting') tell(`${id} is started on port ${port}`, id);
    else if (condition === 'warming') tell(`${id} is ready, and takes requests`, id);
    else if (condition === 'available' && isWanted)
      tell(`${id} runs well, ${inSeconds(sinceMs)} after the beginning`, id);
    else if (condition === 'broken') tell(`${id} does not run`, id);
  }

  #supervisors(): Supervisor[] {
    return this.#options.fleet.ofService(this.#options.name);
  }

  #isWanted({ deployment }: Instance): boolean {
    return deployment === this.#options.release.deployment;
  }
}
