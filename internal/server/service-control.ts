import { isDeepStrictEqual } from 'node:util';
import type { Deployment, DeploymentStep } from '../model/deployment.ts';
import { hasCode, HeimdallError } from '../model/errors.ts';
import { declaredInstances } from '../model/instance.ts';
import { FIRST_RELEASE, type Release, releaseViewOf } from '../model/release.ts';
import type { Algorithm } from '../model/algorithms.ts';
import type { Service } from '../model/service.ts';
import type { Overrides, ServiceState } from '../model/service-state.ts';
import type { ServiceView } from '../model/service-view.ts';
import type { ServiceSettings } from '../model/settings.ts';
import type { Snapshot } from '../registry/registry.ts';
import { assertSucceeded, type Deployer, described } from './deployer.ts';
import { untilApplied } from '../registry/drain.ts';
import type { Fleet } from './fleet.ts';
import { assertAllowedEnv } from './launch-plan.ts';
import { Operations } from './operations.ts';
import type { Reconciler } from './reconciler.ts';
import { serviceNamed } from './service-named.ts';
import { routeViewOf, type ServiceDetails, serviceSettings, serviceViewOf } from './service-views.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import { type Terms, UNCONDITIONAL } from './terms.ts';
import type { Usages } from './usages.ts';
import { assertDeclared, variantNamed } from './variants.ts';
import { viewsOf } from './views.ts';

interface ServiceControlOptions {
  readonly context: SupervisorContext;
  readonly fleet: Fleet;
  readonly deployer: Deployer;
  readonly reconciler: Reconciler;
  /** The services as they are configured now. */
  readonly services: () => readonly Service[];
  /** What the processes of an instance use; undefined where that is not known. */
  readonly usages: Pick<Usages, 'reader'>;
  /** Resolves when the manager knows what an earlier one left. @throws {HeimdallError} SHUTTING_DOWN, or why it could not start. */
  readonly ready: () => Promise<void>;
}

/** What may be changed by hand; absent: stays as it is; null: as it is configured. */
export interface ServicePatch {
  readonly instances?: number;
  readonly algorithm?: Algorithm | null;
  readonly maxConnections?: number | null;
  /** Of the instances there are, and of new ones. */
  readonly weight?: number | null;
}

export interface DeployRequest {
  readonly version?: string;
  /** The entry of the service's `versions` to run; default: the one that is called like the version. */
  readonly command?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface DeploymentOptions {
  /** Who asks for it. */
  readonly by: string;
  /** Whether it may wait until another one is over. */
  readonly queue: boolean;
  /** Whether to resolve when it is over, or when it has begun. */
  readonly wait: boolean;
}

/** How long a call waits for load balancers to do as it says; milliseconds. */
const APPLIED_MS = 2_000;
/** How far back a rollback looks. */
const HISTORY = 1_000;

/** Services as something that can be looked at and changed while they run. */
export class ServiceControl {
  readonly #options: ServiceControlOptions;
  /** What is set by hand: each change begins with what the one before has left. */
  readonly #changes = new Operations();

  constructor(options: ServiceControlOptions) {
    this.#options = options;
  }

  /** In the order of the configuration. */
  async list(): Promise<ServiceView[]> {
    await this.#options.ready();
    const snapshot = await this.#picture();
    return this.#options.services().map((service) => serviceViewOf(service, snapshot));
  }

  /** @throws {HeimdallError} SERVICE_NOT_FOUND. */
  async get(name: string): Promise<ServiceDetails> {
    await this.#options.ready();
    const { registry } = this.#options.context;
    const service = this.#service(name);
    const [snapshot, health, usageOf, deployments] = await Promise.all([
      this.#picture(),
      registry.health(),
      this.#options.usages.reader(),
      registry.deployments({ service: name, limit: 10 }),
    ]);
    const own = snapshot.instances.filter((instance) => instance.service === name);
    const { routes, versions } = service;
    return {
      ...serviceViewOf(service, snapshot),
      routes: routes.map(routeViewOf),
      versions: Object.keys(versions),
      instances: viewsOf([...own, ...declaredInstances(service)], health, usageOf),
      deployments,
    };
  }

  /** @throws {HeimdallError} SERVICE_NOT_FOUND; NOT_SPAWNED when a service without a command shall have instances. */
  async patch(
    name: string,
    patch: ServicePatch,
    terms: Terms<ServiceSettings> = UNCONDITIONAL,
  ): Promise<ServiceDetails> {
    await this.#options.ready();
    const { context, reconciler } = this.#options;
    const service = this.#service(name);
    const { instances, weight } = patch;
    if (instances !== undefined) this.#assertSpawnable(service);
    await this.#changes.run(name, async () => {
      const settings = await this.#settingsOf(service);
      const { before, after } = await context.registry.reviseService(name, (state) => {
        terms.permit(settings(state));
        return {
          ...(instances === undefined ? {} : { desired: instances }),
          overrides: overridesAfter(state.overrides, patch, service),
        };
      });
      terms.changed(settings(before), settings(after));
      if (weight !== undefined) await this.#weigh(name, weight ?? 1);
    });
    const told = Object.entries(patch).map(([key, value]) => `${key}: ${value ?? 'as configured'}`);
    context.journal.record('service.changed', { id: null, service: name }, `${name} was changed: ${told.join(', ')}`);
    if (instances !== undefined) await reconciler.run();
    return this.get(name);
  }

  /** Holds new requests, from the end of the call on; pausing twice is pausing once. */
  async pause(name: string, terms?: Terms<ServiceSettings>): Promise<ServiceDetails> {
    return this.#setPaused(name, true, terms);
  }

  /** Lets them go on. */
  async resume(name: string, terms?: Terms<ServiceSettings>): Promise<ServiceDetails> {
    return this.#setPaused(name, false, terms);
  }

  /**
   * Replaces the instances by ones that run another release.
   * @throws {HeimdallError} SERVICE_NOT_FOUND, NOT_SPAWNED, INVALID_REQUEST, DEPLOYMENT_RUNNING; with `wait` DEPLOYMENT_FAILED.
   */
  async deploy(
    name: string,
    request: DeployRequest,
    options: DeploymentOptions,
    terms: Terms<ServiceSettings> = UNCONDITIONAL,
  ): Promise<Deployment> {
    await this.#options.ready();
    const service = this.#service(name);
    this.#assertSpawnable(service);
    return this.#begin(service, 'deploy', releaseFrom(service, request), options, terms);
  }

  /** Replaces the instances by ones that run the same release. */
  async restart(
    name: string,
    options: DeploymentOptions,
    terms: Terms<ServiceSettings> = UNCONDITIONAL,
  ): Promise<Deployment> {
    await this.#options.ready();
    const service = this.#service(name);
    this.#assertSpawnable(service);
    const state = await this.#state(name);
    return this.#begin(service, 'restart', state?.release ?? FIRST_RELEASE, options, terms);
  }

  /**
   * Goes back to what ran before: while a deployment is under way, by giving that up.
   * @param to - the deployment whose release shall run again; undefined: the latest that ran another one.
   * @throws {HeimdallError} as `deploy`; DEPLOYMENT_NOT_FOUND when there is nothing to go back to.
   */
  async rollback(
    name: string,
    to: number | undefined,
    options: DeploymentOptions,
    terms: Terms<ServiceSettings> = UNCONDITIONAL,
  ): Promise<Deployment> {
    await this.#options.ready();
    const { deployer } = this.#options;
    const service = this.#service(name);
    this.#assertSpawnable(service);
    const settings = await this.#settingsOf(service);
    terms.permit(settings(await this.#state(name)));
    const givenUp = to === undefined ? deployer.giveUp(name, `given up by ${options.by}`) : null;
    if (givenUp !== null) {
      const { registry } = this.#options.context;
      if (!options.wait) return registry.deployment(givenUp);
      const over = await deployer.untilOver(givenUp);
      if (over.state === 'failed') assertSucceeded(over, await registry.deploymentSteps(over.id, 0));
      return over;
    }
    const release = await this.#earlier(name, to);
    if (release.variant !== null) assertDeclared(service, release.variant);
    return this.#begin(service, 'rollback', release, options, terms);
  }

  /** Newest first. */
  async deployments(query: { readonly limit: number; readonly service?: string }): Promise<Deployment[]> {
    await this.#options.ready();
    return this.#options.context.registry.deployments(query);
  }

  /** @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  async deployment(id: number): Promise<{ readonly deployment: Deployment; readonly steps: DeploymentStep[] }> {
    await this.#options.ready();
    const { registry } = this.#options.context;
    const deployment = await registry.deployment(id); // before its steps, so that none is missing of one that is over
    return { deployment, steps: await registry.deploymentSteps(id, 0) };
  }

  /** Aborted when the manager stops: whoever follows something shall end. */
  get stopping(): AbortSignal {
    return this.#options.context.stopping;
  }

  async #begin(
    service: Service,
    kind: Deployment['kind'],
    release: Release,
    { by, queue, wait }: DeploymentOptions,
    terms: Terms<ServiceSettings>,
  ): Promise<Deployment> {
    const { name } = service;
    const deployment = await this.#changes.run(name, async () => {
      const settings = await this.#settingsOf(service);
      const before = settings(await this.#state(name));
      terms.permit(before);
      const begun = await this.#options.deployer.begin({ service: name, kind, release, by, queue });
      terms.changed(before, { ...before, release: releaseViewOf(begun.release) });
      return begun;
    });
    if (!wait) return deployment;
    const over = await this.#options.deployer.untilOver(deployment.id);
    assertSucceeded(over, await this.#options.context.registry.deploymentSteps(over.id, 0));
    return over;
  }

  async #earlier(service: string, to: number | undefined): Promise<Release> {
    const { registry } = this.#options.context;
    if (to !== undefined) {
      const { service: owner, state, release } = await registry.deployment(to);
      if (owner === service && state === 'succeeded') return release;
      const why = owner === service ? `was ${state}` : `is of ${owner}`;
      throw new HeimdallError(
        'INVALID_REQUEST',
        `deployment ${to} ${why}: only one of ${service} that has succeeded can run again`,
      );
    }
    const present = (await this.#state(service))?.release ?? FIRST_RELEASE;
    const history = await registry.deployments({ service, limit: HISTORY });
    const earlier = history
      .filter(({ id, state }) => state === 'succeeded' && id <= (present.deployment ?? 0))
      .flatMap(({ previous }) => previous ?? [])
      .find((release) => !isSame(release, present));
    if (earlier !== undefined) return earlier;
    const message = `${service} has run nothing but ${described(present)} so far: there is nothing to go back to`;
    throw new HeimdallError('DEPLOYMENT_NOT_FOUND', message);
  }

  async #setPaused(
    name: string,
    isPaused: boolean,
    terms: Terms<ServiceSettings> = UNCONDITIONAL,
  ): Promise<ServiceDetails> {
    await this.#options.ready();
    const { registry, journal, clock } = this.#options.context;
    const service = this.#service(name);
    const settings = await this.#settingsOf(service);
    const { before, after, revision } = await this.#changes.run(name, () =>
      registry.reviseService(name, (state) => {
        terms.permit(settings(state));
        return { pausedSince: isPaused ? (state.pausedSince ?? clock()) : null };
      }),
    );
    terms.changed(settings(before), settings(after));
    await untilApplied(registry, revision, APPLIED_MS, clock);
    if (isPaused !== (before.pausedSince !== null)) {
      const message = isPaused ? `${name} is paused: new requests are held` : `${name} goes on`;
      journal.record(isPaused ? 'service.paused' : 'service.resumed', { id: null, service: name }, message);
    }
    return this.get(name);
  }

  async #weigh(service: string, weight: number): Promise<void> {
    for (const supervisor of this.#options.fleet.ofService(service)) {
      await supervisor.weigh(weight).catch((error: unknown) => {
        if (!hasCode(error, 'INSTANCE_NOT_FOUND')) throw error; // removed this moment
      });
    }
  }

  /** All nodes together; what only one of them can have, such as its release, is this one's. */
  async #picture(): Promise<Snapshot> {
    const { registry } = this.#options.context;
    const [all, own] = await Promise.all([registry.snapshot(), registry.own()]);
    const services = all.services.map((state) => {
      const part = own.services.find(({ service }) => service === state.service);
      return part === undefined ? state : { ...part, desired: state.desired, configured: state.configured };
    });
    return { ...all, services };
  }

  /** Tells what is set of a service: what its state is on this node, and how many instances the others want besides. */
  async #settingsOf(service: Service): Promise<(state: ServiceState | undefined) => ServiceSettings> {
    const { services } = await this.#picture();
    const all = services.find((each) => each.service === service.name)?.desired ?? 0;
    const elsewhere = Math.max(0, all - ((await this.#state(service.name))?.desired ?? 0));
    return (state) => serviceSettings(service, state && { ...state, desired: state.desired + elsewhere });
  }

  async #state(name: string): Promise<ServiceState | undefined> {
    const { services } = await this.#options.context.registry.own();
    return services.find(({ service }) => service === name);
  }

  /** @throws {HeimdallError} SERVICE_NOT_FOUND. */
  #service(name: string): Service {
    return serviceNamed(this.#options.services(), name);
  }

  #assertSpawnable({ name, command }: Service): void {
    if (command !== undefined) return;
    throw new HeimdallError(
      'NOT_SPAWNED',
      `service ${name} has no command in the configuration: nothing of it is started by heimdall`,
    );
  }
}

function overridesAfter(before: Overrides, patch: ServicePatch, service: Service): Overrides {
  const after = { ...before };
  if (patch.algorithm !== undefined) {
    after.algorithm = patch.algorithm === null ? undefined : { value: patch.algorithm, over: service.algorithm };
  }
  if (patch.maxConnections !== undefined) {
    after.maxConnections =
      patch.maxConnections === null ? undefined : { value: patch.maxConnections, over: service.maxConnections };
  }
  if (patch.weight !== undefined) after.weight = patch.weight ?? undefined;
  return after;
}

/** @throws {HeimdallError} INVALID_REQUEST. */
function releaseFrom(service: Service, { version, command, env = {} }: DeployRequest): Release {
  assertAllowedEnv(env);
  if (command !== undefined) assertDeclared(service, command);
  const variant = command ?? (version === undefined ? null : variantNamed(service, version));
  return { deployment: null, version: version ?? command ?? null, variant, env };
}

function isSame(a: Release, b: Release): boolean {
  return a.version === b.version && a.variant === b.variant && isDeepStrictEqual(a.env, b.env);
}
