import { type Deployment, type DeploymentStep, isActive } from '../model/deployment.ts';
import { hasCode, HeimdallError } from '../model/errors.ts';
import { declaredInstances } from '../model/instance.ts';
import { FIRST_RELEASE, type Release, releaseViewOf } from '../model/release.ts';
import type { Algorithm } from '../model/algorithms.ts';
import type { Service } from '../model/service.ts';
import type { Overrides, ServiceState } from '../model/service-state.ts';
import type { ServiceView } from '../model/service-view.ts';
import type { ServiceSettings } from '../model/settings.ts';
import { type WholeDeployment, wholeOf } from '../model/whole-deployment.ts';
import type { DeploymentPartDraft, DeploymentQuery, Snapshot } from '../registry/registry.ts';
import type { Absences } from './absences.ts';
import { assertSucceeded, type Deployer, described } from './deployer.ts';
import { partsFor, releaseBefore, type ReleaseOn, undoing } from './deployment-plan.ts';
import { untilApplied } from '../registry/drain.ts';
import type { Fleet } from './fleet.ts';
import { assertAllowedEnv } from './launch-plan.ts';
import type { Nodes } from './nodes.ts';
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
  readonly nodes: Pick<Nodes, 'able'>;
  readonly absences: Absences;
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
  /** Whether it is about this node alone; default: about all that can start instances of the service, one after another. */
  readonly alone?: boolean;
}

/** What a deployment is to bring about. */
interface Purpose {
  readonly kind: Deployment['kind'];
  /** On this node, when it is about this one alone. */
  readonly release: Release;
  readonly parts?: readonly DeploymentPartDraft[];
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
      this.#wholes({ service: name, limit: 10 }),
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
   * Replaces the instances by ones that run another release, on one node after another.
   * @throws {HeimdallError} SERVICE_NOT_FOUND, NOT_SPAWNED, INVALID_REQUEST, DEPLOYMENT_RUNNING; with `wait` DEPLOYMENT_FAILED.
   */
  async deploy(
    name: string,
    request: DeployRequest,
    options: DeploymentOptions,
    terms: Terms<ServiceSettings> = UNCONDITIONAL,
  ): Promise<WholeDeployment> {
    await this.#options.ready();
    const service = this.#service(name);
    this.#assertSpawnable(service);
    const release = releaseFrom(service, request);
    const parts = await this.#parts(name, options, () => release);
    return this.#begin(service, { kind: 'deploy', release, ...parts }, options, terms);
  }

  /** Replaces the instances by ones that run the same release. */
  async restart(
    name: string,
    options: DeploymentOptions,
    terms: Terms<ServiceSettings> = UNCONDITIONAL,
  ): Promise<WholeDeployment> {
    await this.#options.ready();
    const service = this.#service(name);
    this.#assertSpawnable(service);
    const release = (await this.#state(name))?.release ?? FIRST_RELEASE;
    const parts = await this.#parts(name, options, (_node, present) => present);
    return this.#begin(service, { kind: 'restart', release, ...parts }, options, terms);
  }

  /**
   * Goes back to what ran before: while a deployment is under way, by giving that up. Of several nodes, those go back that run the
   * latest release.
   * @param to - the deployment whose release shall run again; undefined: the latest that ran another one.
   * @throws {HeimdallError} as `deploy`; DEPLOYMENT_NOT_FOUND when there is nothing to go back to.
   */
  async rollback(
    name: string,
    to: number | undefined,
    options: DeploymentOptions,
    terms: Terms<ServiceSettings> = UNCONDITIONAL,
  ): Promise<WholeDeployment> {
    await this.#options.ready();
    const { deployer } = this.#options;
    const service = this.#service(name);
    this.#assertSpawnable(service);
    const settings = await this.#settingsOf(service);
    terms.permit(settings(await this.#state(name)));
    const isJoint = options.alone !== true && (await this.#options.nodes.able(name)).length > 1;
    if (isJoint) return this.#rollBackAll(service, to, options, terms);
    const givenUp = to === undefined ? deployer.giveUp(name, `given up by ${options.by}`) : null;
    if (givenUp !== null) {
      return this.#untilGivenUp(givenUp, options);
    }
    const release = to === undefined ? await this.#earlier(name) : await this.#releaseOf(name, to);
    if (release.variant !== null) assertDeclared(service, release.variant);
    return this.#begin(service, { kind: 'rollback', release }, options, terms);
  }

  /** Newest first. @param query.node - as far as they are about that one. */
  async deployments(query: DeploymentQuery & { readonly node?: string }): Promise<WholeDeployment[]> {
    await this.#options.ready();
    return this.#wholes(query);
  }

  /** @param node - as far as it is about that one. @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  async deployment(
    id: number,
    node?: string,
  ): Promise<{ readonly deployment: WholeDeployment; readonly steps: DeploymentStep[] }> {
    await this.#options.ready();
    const { registry } = this.#options.context;
    const parts = await registry.deploymentParts(id); // before its steps, so that none is missing of one that is over
    const deployment = this.#whole(parts, node);
    if (deployment === null) {
      throw new HeimdallError('DEPLOYMENT_NOT_FOUND', `deployment ${id} is not about node ${node}`, { id, node });
    }
    const steps = await registry.deploymentSteps(id, 0);
    return { deployment, steps: node === undefined ? steps : steps.filter((step) => step.node === node) };
  }

  /** Aborted when the manager stops: whoever follows something shall end. */
  get stopping(): AbortSignal {
    return this.#options.context.stopping;
  }

  async #wholes({ node, ...query }: DeploymentQuery & { readonly node?: string }): Promise<WholeDeployment[]> {
    const all = await this.#options.context.registry.allDeployments(query);
    return all.flatMap((parts) => this.#whole(parts, node) ?? []);
  }

  /** Null: it is not about the node. */
  #whole(parts: readonly Deployment[], node: string | undefined): WholeDeployment | null {
    const asked = node === undefined ? parts : parts.filter((part) => part.node === node || part.node === null);
    return asked.length === 0 ? null : wholeOf(asked, this.#options.absences.gone);
  }

  /** None: the deployment is about this node alone. */
  async #parts(service: string, { alone }: DeploymentOptions, releaseOn: ReleaseOn): Promise<Pick<Purpose, 'parts'>> {
    const nodes = alone === true ? [] : await this.#options.nodes.able(service);
    if (nodes.length < 2) return {};
    return { parts: partsFor(nodes, await this.#options.context.registry.releases(service), releaseOn) };
  }

  async #rollBackAll(
    service: Service,
    to: number | undefined,
    options: DeploymentOptions,
    terms: Terms<ServiceSettings>,
  ): Promise<WholeDeployment> {
    const { registry } = this.#options.context;
    const { name } = service;
    if (to !== undefined) {
      const release = await this.#releaseOf(name, to);
      if (release.variant !== null) assertDeclared(service, release.variant);
      const purpose = { kind: 'rollback', release, ...(await this.#parts(name, options, () => release)) } as const;
      return this.#begin(service, purpose, options, terms);
    }
    const underWay = (await this.#wholes({ service: name, limit: HISTORY, active: true })).filter(isActive);
    const [latest] = underWay;
    if (latest !== undefined) return this.#giveUpAll(service, underWay, latest.id, options, terms);
    const nodes = await this.#options.nodes.able(name);
    const history = (await registry.allDeployments({ service: name, limit: HISTORY })).flat();
    const releases = await registry.releases(name);
    const names = nodes.map(({ name: node }) => node);
    const parts = partsFor(nodes, releases, undoing(names, releases, history));
    const [first] = parts;
    if (first === undefined) {
      const message = `no node has run anything else of ${name} so far: there is nothing to go back to`;
      throw new HeimdallError('DEPLOYMENT_NOT_FOUND', message);
    }
    return this.#begin(service, { kind: 'rollback', release: first.release, parts }, options, terms);
  }

  /** What is under way goes back by itself; where it was done already, what ran before is brought back. */
  async #giveUpAll(
    service: Service,
    underWay: readonly WholeDeployment[],
    latest: number,
    options: DeploymentOptions,
    terms: Terms<ServiceSettings>,
  ): Promise<WholeDeployment> {
    const { registry } = this.#options.context;
    for (const { id } of underWay) await registry.giveUpDeployment(id, `given up by ${options.by}`);
    this.#options.deployer.giveUp(service.name, `given up by ${options.by}`);
    const givenUp = (await Promise.all(underWay.map(({ id }) => registry.deploymentParts(id)))).flat();
    const parts = givenUp
      .filter(({ state }) => state === 'succeeded')
      .map(({ node, previous }) => ({ node: node ?? '', release: previous ?? FIRST_RELEASE, skipped: null }));
    const [first] = parts;
    if (first === undefined) return this.#untilGivenUp(latest, options);
    const purpose = { kind: 'rollback', release: first.release, parts } as const;
    return this.#begin(service, purpose, { ...options, queue: true }, terms);
  }

  async #untilGivenUp(id: number, { wait }: DeploymentOptions): Promise<WholeDeployment> {
    const { deployer, context } = this.#options;
    if (!wait) return deployer.whole(id);
    const over = await deployer.untilOver(id);
    if (over.state === 'failed') assertSucceeded(over, await context.registry.deploymentSteps(id, 0));
    return over;
  }

  async #begin(
    service: Service,
    { kind, release, parts }: Purpose,
    { by, queue, wait }: DeploymentOptions,
    terms: Terms<ServiceSettings>,
  ): Promise<WholeDeployment> {
    assertAnyTakesPart(service, parts);
    const { name } = service;
    const deployment = await this.#changes.run(name, async () => {
      const settings = await this.#settingsOf(service);
      const before = settings(await this.#state(name));
      terms.permit(before);
      await this.#forgetLeftOut(name, parts ?? []);
      const draft = { service: name, kind, release, by, queue, ...(parts === undefined ? {} : { parts }) };
      const begun = await this.#options.deployer.begin(draft);
      terms.changed(before, { ...before, release: releaseViewOf(begun.release) });
      return begun;
    });
    if (!wait) return deployment;
    const over = await this.#options.deployer.untilOver(deployment.id);
    assertSucceeded(over, await this.#options.context.registry.deploymentSteps(over.id, 0));
    return over;
  }

  /** A node that is left out shall not go on with an earlier deployment when it is back. */
  async #forgetLeftOut(service: string, parts: readonly DeploymentPartDraft[]): Promise<void> {
    const { registry } = this.#options.context;
    const leftOut = parts.filter(({ skipped }) => skipped !== null).map(({ node }) => node);
    if (leftOut.length === 0) return;
    const begun = (await registry.allDeployments({ service, limit: HISTORY, active: true })).flat();
    for (const { id, node } of begun) {
      if (node === null || !leftOut.includes(node)) continue;
      await registry.giveUpDeployment(id, 'another deployment was begun while the node was away', node);
    }
  }

  /** What a deployment has brought, wherever that was. @throws {HeimdallError} DEPLOYMENT_NOT_FOUND, INVALID_REQUEST. */
  async #releaseOf(service: string, id: number): Promise<Release> {
    const { service: owner, state, parts } = await this.#options.deployer.whole(id);
    const succeeded = parts.find((part) => part.state === 'succeeded');
    if (owner === service && succeeded !== undefined) return succeeded.release;
    const why = owner === service ? `was ${state}` : `is of ${owner}`;
    throw new HeimdallError(
      'INVALID_REQUEST',
      `deployment ${id} ${why}: only one of ${service} that has succeeded can run again`,
    );
  }

  /** What ran on this node before. */
  async #earlier(service: string): Promise<Release> {
    const { registry } = this.#options.context;
    const present = (await this.#state(service))?.release ?? FIRST_RELEASE;
    const earlier = releaseBefore(await registry.deployments({ service, limit: HISTORY }), present);
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

/** @throws {HeimdallError} NODE_AWAY. */
function assertAnyTakesPart({ name }: Service, parts: readonly DeploymentPartDraft[] | undefined): void {
  if (parts === undefined || parts.some(({ skipped }) => skipped === null)) return;
  const nodes = parts.map(({ node }) => node).join(', ');
  throw new HeimdallError('NODE_AWAY', `nothing of ${name} can be changed now: it is about ${nodes}, away at present`);
}
