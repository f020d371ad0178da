import { setTimeout as sleep } from 'node:timers/promises';
import { type Deployment, type DeploymentStep, isActive, isOver } from '../model/deployment.ts';
import { HeimdallError, messageOf } from '../model/errors.ts';
import { FIRST_RELEASE, type Release } from '../model/release.ts';
import type { Service } from '../model/service.ts';
import { type WholeDeployment, turnOf, wholeOf } from '../model/whole-deployment.ts';
import type { DeploymentChange, DeploymentDraft, ServiceChange } from '../registry/registry.ts';
import type { Absences } from './absences.ts';
import type { Place } from './draft.ts';
import type { Fleet } from './fleet.ts';
import { insist } from './insist.ts';
import type { Operations } from './operations.ts';
import { Rollout, RolloutFailure } from './rollout.ts';
import { inSeconds } from './running-process.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import { isWorse, shareOf, TrafficTally } from './traffic-tally.ts';

interface DeployerOptions {
  readonly context: SupervisorContext;
  readonly fleet: Fleet;
  readonly place: Place;
  /** The services as they are configured now. */
  readonly services: () => readonly Service[];
  readonly operations: Operations;
  readonly absences: Absences;
}

/** Deployments that are not over: more than anybody lets wait. */
const ALL = 10_000;
/** Between two looks whether one is over, in milliseconds. */
const LOOK_MS = 100;

/** A deployment that is under way in this process. */
interface Running {
  readonly id: number;
  readonly release: Release;
  /** Gives it up: it goes back. The reason is an `Error`. */
  readonly giveUp: AbortController;
  /** All instances run the release; only the registry does not know it yet. */
  isDone: boolean;
}

/**
 * Carries out this node's parts of deployments, one at a time for each service. Every step of the way is in the registry before it
 * is taken, so the next manager goes on where this one ends. A part whose deployment goes through other nodes first begins when
 * the registry says that those are done: nobody leads.
 */
export class Deployer {
  readonly #options: DeployerOptions;
  readonly #running = new Map<string, Running>();
  readonly #over = new Map<number, Promise<Deployment>>();
  /** Of which the work itself broke: left to the next manager. */
  readonly #broken = new Set<number>();
  /** Ids of those that have told that they wait for a node. */
  readonly #waiting = new Set<number>();
  #looks: Promise<void> = Promise.resolve();

  constructor(options: DeployerOptions) {
    this.#options = options;
  }

  /** @throws {HeimdallError} DEPLOYMENT_RUNNING when another one of the service is not over, and this one may not wait. */
  async begin(draft: DeploymentDraft): Promise<WholeDeployment> {
    const { id } = await this.#options.context.registry.createDeployment(draft);
    await this.look().catch(() => {}); // the next look begins it
    return this.whole(id);
  }

  /** Goes on with what an earlier manager has left, to be called before anything else changes instances. @param left - newest first. */
  async resume(left: readonly Deployment[]): Promise<void> {
    for (const deployment of left) if (deployment.state === 'running') await this.#decide(deployment);
    await this.look();
  }

  /** Begins what has its turn, and gives up what nobody wants any more; to be called now and then. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
  look(): Promise<void> {
    this.#looks = this.#looks.catch(() => {}).then(() => this.#look());
    return this.#looks;
  }

  /** What a new instance of the service is to run now. @param inForce - what is kept of the service. */
  releaseOf(service: string, inForce: Release | undefined): Release {
    return this.#running.get(service)?.release ?? inForce ?? FIRST_RELEASE;
  }

  /** Makes the deployment that is under way go back. @returns its id; null when there is none that goes forward. */
  giveUp(service: string, reason: string): number | null {
    const running = this.#running.get(service);
    if (running === undefined || running.isDone || running.giveUp.signal.aborted) return null;
    running.giveUp.abort(new RolloutFailure(reason));
    return running.id;
  }

  /** All of its parts. @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  async whole(id: number): Promise<WholeDeployment> {
    return wholeOf(await this.#options.context.registry.deploymentParts(id), this.#options.absences.gone);
  }

  /** Resolves with the deployment when it is over everywhere. @throws {HeimdallError} SHUTTING_DOWN: the next manager goes on with it. */
  async untilOver(id: number): Promise<WholeDeployment> {
    const { stopping } = this.#options.context;
    for (;;) {
      stopping.throwIfAborted();
      const deployment = await this.#insist(() => this.whole(id));
      if (isOver(deployment)) return deployment;
      await sleep(LOOK_MS, undefined, { signal: stopping }).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    const { registry, stopping } = this.#options.context;
    if (stopping.aborted) return;
    await this.#skipTheGone();
    const left = await registry.deployments({ limit: ALL, active: true });
    for (const parts of Map.groupBy(left, ({ service }) => service).values()) {
      const next = parts.find(isActive) ?? parts.at(-1);
      if (next === undefined) continue;
      if (next.givenUp !== null && this.#running.get(next.service)?.id === next.id) {
        this.giveUp(next.service, next.givenUp);
      }
      if (!this.#over.has(next.id) && !this.#broken.has(next.id)) await this.#beginInTurn(next);
    }
  }

  /** What waits for its turn on a node that is gone waits no more. */
  async #skipTheGone(): Promise<void> {
    const { context, absences } = this.#options;
    const { gone } = absences;
    if (gone.size === 0) return;
    const parts = (await context.registry.allDeployments({ limit: ALL, active: true })).flat();
    for (const { id, node, state } of parts) {
      if (state !== 'queued' || node === null || !gone.has(node)) continue;
      await context.registry.giveUpDeployment(id, `node ${node} is away`, node);
    }
  }

  async #beginInTurn(part: Deployment): Promise<void> {
    const { context, absences } = this.#options;
    const { id, service, node, nodes } = part;
    if (isActive(part) || nodes.length < 2) return this.#carryOut(part);
    const parts = await context.registry.deploymentParts(id);
    const turn = turnOf(part, parts, absences.gone);
    if (turn === 'now') return this.#carryOut(part);
    if (turn === 'later') return this.#tellOfWaiting(part);
    const reason = turn.never;
    await this.#tell(id, `left as it was: ${reason}`, null);
    const over = await context.registry.changeDeployment(id, { state: 'skipped', finishedAt: context.clock(), reason });
    this.#record(
      'deployment.skipped',
      over,
      `deployment ${id} of ${service} changes nothing on node ${node}: ${reason}`,
    );
  }

  /** The node before this one has vanished: it may come back. */
  async #tellOfWaiting({ id, node, nodes }: Deployment): Promise<void> {
    const before = nodes[nodes.indexOf(node ?? '') - 1];
    if (before === undefined || !this.#options.absences.isAway(before) || this.#waiting.has(id)) return;
    this.#waiting.add(id);
    await this.#tell(id, `waits for node ${before}, which is away`, null);
  }

  #carryOut({ id, service }: Deployment): void {
    const { operations, context } = this.#options;
    const over = operations.run(service, () => this.#run(id));
    this.#over.set(id, over);
    over
      .catch((error: unknown) => {
        if (context.stopping.aborted) return;
        context.log.error({ deployment: id, err: error }, 'a deployment has failed');
        this.#broken.add(id);
      })
      .finally(() => this.#over.delete(id))
      .then(() => this.look())
      .catch(() => {}); // the next look begins what waits
  }

  /** After a manager's end: when nothing of the service stands, what ran before is brought up, and what is new is not tried first. */
  async #decide({ id, service }: Deployment): Promise<void> {
    const stands = this.#options.fleet.ofService(service).some(({ isLeaving }) => !isLeaving);
    if (stands) return this.#tell(id, 'the manager was started again: the deployment goes on', null);
    const reason = 'the manager was started again, and no instance was left: what ran before is started';
    await this.#change(id, { state: 'rolling-back', reason });
    await this.#tell(id, reason, null);
  }

  async #run(id: number): Promise<Deployment> {
    const { registry, stopping } = this.#options.context;
    let deployment = await this.#insist(() => registry.deployment(id));
    if (deployment.state === 'queued') deployment = await this.#begin(deployment);
    const running = { id, release: deployment.release, giveUp: new AbortController(), isDone: false };
    this.#running.set(deployment.service, running);
    try {
      if (deployment.state === 'running') deployment = await this.#goForward(deployment, running);
      this.#running.delete(deployment.service);
      if (deployment.state === 'rolling-back') deployment = await this.#goBack(deployment);
      return deployment;
    } finally {
      this.#running.delete(deployment.service);
      if (stopping.aborted) this.#options.context.log.info({ deployment: id }, 'left to the next manager');
    }
  }

  async #begin(deployment: Deployment): Promise<Deployment> {
    const { registry, clock } = this.#options.context;
    const { id, service, by, kind } = deployment;
    const { services } = await this.#insist(() => registry.own());
    const previous = services.find((state) => state.service === service)?.release ?? FIRST_RELEASE;
    const begun = await this.#change(id, { state: 'running', previous, startedAt: clock() });
    if (isOver(begun)) return begun; // given up meanwhile
    this.#record(
      'deployment.started',
      begun,
      `${kind} ${id} of ${service} by ${by}${onNode(begun)}: ${described(begun.release)}`,
    );
    await this.#tell(id, `from ${described(previous)} to ${described(begun.release)}`, null);
    return begun;
  }

  async #goForward(deployment: Deployment, running: Running): Promise<Deployment> {
    const { context } = this.#options;
    const { id, service, release, startedAt } = deployment;
    const tally = new TrafficTally();
    try {
      const signal = AbortSignal.any([context.stopping, running.giveUp.signal]);
      await this.#rollout(deployment, release, false, () => this.#objection(deployment, tally)).run(signal);
      signal.throwIfAborted();
      running.isDone = true;
    } catch (error) {
      if (context.stopping.aborted) throw error;
      return this.#turnBack(deployment, error);
    }
    const at = context.clock();
    const over = await this.#change(id, { state: 'succeeded', finishedAt: at }, { release });
    const message = `deployment ${id} of ${service} has succeeded${onNode(over)}, in ${inSeconds(at - (startedAt ?? at))}`;
    this.#record('deployment.succeeded', over, message);
    await this.#tell(id, 'done', null);
    context.alerts.resolve(alertKey(service), at);
    return over;
  }

  async #turnBack(deployment: Deployment, error: unknown): Promise<Deployment> {
    const failure = error instanceof RolloutFailure ? error : new RolloutFailure(messageOf(error));
    if (failure !== error)
      this.#options.context.log.error({ deployment: deployment.id, err: error }, 'a rollout broke');
    const { message: reason, instanceId, logTail } = failure;
    const turned = await this.#change(deployment.id, { state: 'rolling-back', reason });
    await this.#tell(deployment.id, `going back: ${reason}`, instanceId, logTail);
    return turned;
  }

  async #goBack(deployment: Deployment): Promise<Deployment> {
    const { context } = this.#options;
    const { id, service, previous, reason } = deployment;
    const release = previous ?? FIRST_RELEASE;
    const rollout = this.#rollout(deployment, release, true, async () => null);
    let fault: string | null = null;
    try {
      await rollout.run(context.stopping);
    } catch (error) {
      if (context.stopping.aborted) throw error;
      fault = messageOf(error);
    }
    const isBack = fault === null && (rollout.available > 0 || rollout.isEmpty);
    const why = isBack ? reason : `${reason}; ${fault ?? `and ${described(release)} does not run either`}`;
    const state = isBack ? 'rolled-back' : 'failed';
    const over = await this.#change(id, { state, finishedAt: context.clock(), reason: why });
    const title = isBack
      ? `deployment ${id} of ${service} was rolled back${onNode(over)}`
      : `deployment ${id} of ${service} has failed${onNode(over)}, and so has going back`;
    this.#record(isBack ? 'deployment.rolled-back' : 'deployment.failed', over, `${title}: ${why}`);
    await this.#tell(id, isBack ? `${described(release)} runs again` : title, null);
    await this.#alert(over, title);
    return over;
  }

  async #alert(over: Deployment, title: string): Promise<void> {
    const { alerts, clock, registry } = this.#options.context;
    const { id, service, reason, node, nodes } = over;
    const tail = latestTail(await registry.deploymentSteps(id, 0).catch(() => []));
    const left = nodes.slice(nodes.indexOf(node ?? '') + 1);
    const elsewhere = left.length === 0 ? [] : [`what ran before runs on ${left.join(', ')}, too`];
    const cause = [reason ?? '', ...elsewhere, ...tail].join('\n');
    alerts.raise({ key: alertKey(service), severity: 'critical', title, cause, service, at: clock() });
  }

  #rollout(
    { id, service: name }: Deployment,
    release: Release,
    goesBack: boolean,
    objection: () => Promise<string | null>,
  ): Rollout {
    const { context, fleet, place, services } = this.#options;
    const service = () => services().find((each) => each.name === name);
    const tell = (message: string, instanceId: string | null) => void this.#tell(id, message, instanceId);
    return new Rollout({ context, fleet, place, service, name, release, goesBack, tell, objection });
  }

  /** More requests fail on the new release than on the old one. */
  async #objection({ service: name, release }: Deployment, tally: TrafficTally): Promise<string | null> {
    const { context, fleet, services } = this.#options;
    const service = services().find((each) => each.name === name);
    if (service === undefined) return null;
    const sideOf = (instanceId: string) => {
      const instance = fleet.get(instanceId)?.instance;
      if (instance?.service !== name) return undefined;
      return instance.deployment === release.deployment ? 'new' : 'old';
    };
    try {
      tally.look(await context.registry.traffic(), sideOf);
    } catch {
      return null; // nobody can tell
    }
    const [fresh, old] = [tally.sum('new'), tally.sum('old')];
    if (!isWorse(fresh, old, service.rollout.maxErrorRate)) return null;
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    return (
      `too many errors: ${fresh.failures} of ${fresh.requests} requests failed on the new instances ` +
      `(${percent(shareOf(fresh))}), ${percent(shareOf(old))} on the old ones`
    );
  }

  async #tell(
    deployment: number,
    message: string,
    instanceId: string | null,
    logTail: readonly string[] = [],
  ): Promise<void> {
    const { registry, clock, log } = this.#options.context;
    log.info({ deployment, instance: instanceId }, message);
    const step = { deployment, at: clock(), message, instanceId, logTail: [...logTail] };
    await registry.recordStep(step).catch((error: unknown) => log.warn({ err: error }, 'a step was not kept'));
  }

  #record(type: Parameters<SupervisorContext['journal']['record']>[0], { id, service }: Deployment, message: string) {
    this.#options.context.journal.record(type, { id: null, service }, message, { deployment: id });
  }

  #change(id: number, change: DeploymentChange, service?: ServiceChange): Promise<Deployment> {
    return this.#insist(() => this.#options.context.registry.changeDeployment(id, change, service));
  }

  #insist<T>(work: () => Promise<T>): Promise<T> {
    return insist(work, this.#options.context.stopping);
  }
}

/** What people call a release. */
export function described({ version, variant, deployment }: Release): string {
  if (version !== null) return variant === null || variant === version ? version : `${version} (${variant})`;
  if (variant !== null) return variant;
  return deployment === null ? 'the configured release' : `release ${deployment}`;
}

function alertKey(service: string): string {
  return `deployment:${service}`;
}

/** Where, if there is a choice. */
function onNode({ node, nodes }: Deployment): string {
  return nodes.length > 1 ? ` on node ${node}` : '';
}

/**
 * @param steps - of the deployment.
 * @throws {HeimdallError} DEPLOYMENT_FAILED unless it has succeeded.
 */
export function assertSucceeded({ id, service, state, reason }: Deployment, steps: readonly DeploymentStep[]): void {
  if (state === 'succeeded') return;
  const how = state === 'rolled-back' ? 'was rolled back' : state === 'skipped' ? 'was given up' : 'has failed';
  const context = { deployment: id, state, logTail: latestTail(steps) };
  throw new HeimdallError('DEPLOYMENT_FAILED', `deployment ${id} of ${service} ${how}: ${reason}`, context);
}

function latestTail(steps: readonly DeploymentStep[]): readonly string[] {
  return steps.findLast(({ logTail }) => logTail.length > 0)?.logTail ?? [];
}
