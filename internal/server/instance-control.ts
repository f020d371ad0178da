import { HeimdallError, messageOf } from '../model/errors.ts';
import { declaredInstances, type Instance, viewOf } from '../model/instance.ts';
import type { InstanceView } from '../model/instance-view.ts';
import type { Service } from '../model/service.ts';
import { type InstanceSettings, settingsOfInstance } from '../model/settings.ts';
import { assertOne, instanceNamed, instanceNotFound, notSpawned, portOf, supervisorNamed } from './instance-named.ts';
import { logTailOf } from './log-tail.ts';
import { Operations } from './operations.ts';
import type { Reconciler } from './reconciler.ts';
import { serviceNamed } from './service-named.ts';
import { reserveSuccessor, retirePredecessor, type SuccessorParts, startSuccessor } from './successor.ts';
import type { Supervisor } from './supervisor.ts';
import { type Terms, UNCONDITIONAL } from './terms.ts';
import type { Usages } from './usages.ts';
import { viewsOf } from './views.ts';

interface InstanceControlOptions extends SuccessorParts {
  readonly operations: Operations;
  readonly reconciler: Reconciler;
  /** The services as they are configured now. */
  readonly services: () => readonly Service[];
  readonly usages: Pick<Usages, 'reader'>;
  /** Resolves when the manager knows what an earlier one left. @throws {HeimdallError} SHUTTING_DOWN, or why it could not start. */
  readonly ready: () => Promise<void>;
}

/** Single instances as something that can be looked at and changed while they run; each is called by its id or its port. */
export class InstanceControl {
  readonly #options: InstanceControlOptions;
  /** Changes of announced instances, by id: each begins with what the one before has left. */
  readonly #announced = new Operations();

  constructor(options: InstanceControlOptions) {
    this.#options = options;
  }

  /**
   * The instance, whoever runs it.
   * @param node - that it is on; default: whichever.
   * @throws {HeimdallError} INSTANCE_NOT_FOUND, also when several have the port.
   */
  async get(name: string, node?: string): Promise<InstanceView> {
    const { context, services, usages, ready } = this.#options;
    const { registry } = context;
    await ready();
    const [snapshot, health, usageOf] = await Promise.all([registry.snapshot(), registry.health(), usages.reader()]);
    const instances = snapshot.instances.filter((each) => node === undefined || (each.node ?? node) === node);
    const port = portOf(name);
    const all = [...instances, ...services().flatMap(declaredInstances)];
    const registered = instances.filter((instance) => instance.port === port);
    const named = all.filter(({ id }) => id === name);
    const candidates =
      [named, registered, all.filter((each) => each.port === port)].find(({ length }) => length > 0) ?? [];
    const views = viewsOf(candidates, health, usageOf);
    assertOne(name, views);
    if (views[0] === undefined) throw instanceNotFound(name);
    return views[0];
  }

  /**
   * Of one that an agent announced, until that announces it with another weight.
   * @param weight - null: the one that new instances of its service get.
   * @throws {HeimdallError} INSTANCE_NOT_FOUND; NOT_SPAWNED for a declared one; LIFECYCLE_CONFLICT when it is leaving.
   */
  async weigh(
    name: string,
    weight: number | null,
    terms: Terms<InstanceSettings> = UNCONDITIONAL,
  ): Promise<InstanceView> {
    await this.#options.ready();
    const named = await instanceNamed(name, this.#known());
    if (named.kind === 'announced') {
      const { id } = named.instance;
      return this.#announced.run(id, () => this.#weighAnnounced(id, weight, terms));
    }
    if (named.kind === 'declared') throw notSpawned(named.instance.id, 'its weight is set in "servers"');
    const { supervisor } = named;
    assertStays(supervisor);
    const { id, service } = supervisor.instance;
    const next = weight ?? (await this.#usualWeight(service));
    let before = settingsOf(supervisor);
    await supervisor.weigh(next, () => {
      before = settingsOf(supervisor);
      terms.permit(before);
    });
    terms.changed(before, { ...before, weight: next });
    if (next !== before.weight) this.#tellWeight(supervisor.instance, before.weight, next);
    return this.get(id);
  }

  /**
   * Puts another instance in its place that runs the same: the old one goes, without losing a request, when the new one is
   * ready; when that does not get ready, nothing has changed.
   * @param options.wait - whether to resolve when the old one is gone, or as soon as the new one is being started.
   * @returns the new one.
   * @throws {HeimdallError} INSTANCE_NOT_FOUND; NOT_SPAWNED; LIFECYCLE_CONFLICT when it is leaving; DEPLOYMENT_RUNNING, which
   * replaces it anyway; NO_FREE_PORT; with `wait` why the new one did not get ready.
   */
  async restart(
    name: string,
    { wait }: { readonly wait: boolean },
    terms: Pick<Terms<InstanceSettings>, 'permit'> = UNCONDITIONAL,
  ): Promise<InstanceView> {
    const { operations, services, ready } = this.#options;
    await ready();
    const old = await supervisorNamed(name, this.#known(), 'restart it where it runs');
    const service = serviceNamed(services(), old.instance.service);
    if (service.command === undefined) {
      throw new HeimdallError('NOT_SPAWNED', `service ${service.name} has no command in the configuration any more`);
    }
    await this.#assertNoDeployment(service.name);
    const reserved = Promise.withResolvers<Supervisor>();
    const turn = operations.run(service.name, async () => {
      assertStays(old);
      terms.permit(settingsOf(old));
      return this.#replace(old, service, reserved.resolve);
    });
    turn.catch(reserved.reject); // told before as well, when the row was there already
    const fresh = await reserved.promise;
    if (!wait) return viewOf(fresh.instance, 'unknown');
    await turn;
    return this.get(fresh.id);
  }

  async #replace(old: Supervisor, service: Service, reserved: (fresh: Supervisor) => void): Promise<void> {
    const { context, reconciler } = this.#options;
    const { weight } = old.instance;
    const fresh = await reserveSuccessor(old, service, this.#options);
    reserved(fresh);
    try {
      await startSuccessor(fresh, this.#options);
      context.journal.record('instance.restarted', old.instance, `${old.id} is restarted: ${fresh.id} takes its place`);
      await retirePredecessor(old, { fresh, weight }, this.#options);
    } catch (error) {
      reconciler.demand(); // of two that are ready, one is too many
      if (!context.stopping.aborted) {
        const message = `the restart of ${old.id} has failed: ${messageOf(error)}`;
        context.journal.record('instance.restart-failed', old.instance, message, { logTail: logTailOf(error) });
      }
      throw error;
    }
  }

  /** @throws {HeimdallError} DEPLOYMENT_RUNNING. */
  async #assertNoDeployment(service: string): Promise<void> {
    const [running] = await this.#options.context.registry.deployments({ limit: 1, service, active: true });
    if (running === undefined) return;
    const message = `deployment ${running.id} of ${service} is not over, and replaces its instances anyway`;
    throw new HeimdallError('DEPLOYMENT_RUNNING', message, { deployment: running.id });
  }

  async #usualWeight(service: string): Promise<number> {
    const { services } = await this.#options.context.registry.own();
    return services.find((state) => state.service === service)?.overrides.weight ?? 1;
  }

  async #weighAnnounced(id: string, weight: number | null, terms: Terms<InstanceSettings>): Promise<InstanceView> {
    const view = await this.get(id);
    if (view.status === 'draining') throw leaving(id);
    const before = settingsOfInstance(view);
    const next = weight ?? (await this.#usualWeight(view.service));
    terms.permit(before);
    await this.#options.context.registry.update(id, { weight: next });
    terms.changed(before, { ...before, weight: next });
    if (next !== before.weight) this.#tellWeight(view, before.weight, next);
    return { ...view, weight: next };
  }

  #tellWeight(instance: Pick<Instance, 'id' | 'service'>, before: number, after: number): void {
    const message = `${instance.id} has weight ${after}, and had ${before}`;
    this.#options.context.journal.record('instance.changed', instance, message);
  }

  #known() {
    const { fleet, services, context } = this.#options;
    return { fleet, services: services(), registry: context.registry };
  }
}

function settingsOf({ instance }: Supervisor): InstanceSettings {
  return settingsOfInstance(viewOf(instance, 'unknown'));
}

/** @throws {HeimdallError} LIFECYCLE_CONFLICT. */
function assertStays({ id, isLeaving }: Supervisor): void {
  if (isLeaving) throw leaving(id);
}

function leaving(id: string): HeimdallError {
  return new HeimdallError('LIFECYCLE_CONFLICT', `${id} is being removed or replaced`, { id });
}
