import { hasCode, messageOf } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import type { Release } from '../model/release.ts';
import type { Service } from '../model/service.ts';
import type { InstanceDraft, Snapshot } from '../registry/registry.ts';
import { desiredStateOf, firstToGo, standing } from './desired-state.ts';
import { draftOf, type Place } from './draft.ts';
import type { Fleet } from './fleet.ts';
import type { Operations } from './operations.ts';
import type { SupervisorContext } from './supervisor-context.ts';

interface ReconcilerOptions {
  readonly context: SupervisorContext;
  readonly fleet: Fleet;
  /** Where spawned instances are reached. */
  readonly place: Place;
  /** The services as they are configured now. */
  readonly services: () => readonly Service[];
  readonly operations: Operations;
  /** What a new instance is to run. */
  readonly releaseOf: (service: string, inForce: Release | undefined) => Release;
}

/**
 * Makes the number of instances what the registry wants. Counts come from one snapshot, in which the rows and the wanted
 * number of a running add or remove agree, so it may run at any time beside them.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  /** Services that got no free port; each has an alert that tells so. */
  readonly #short = new Set<string>();
  #turn: Promise<void> = Promise.resolve();
  #due = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** Whether the last run could not do everything, or another one was asked for: run it again in a while. */
  get due(): boolean {
    return this.#due;
  }

  /** Asks for a run in a while. */
  demand(): void {
    this.#due = true;
  }

  /**
   * One run after the other, and none once the manager stops. New instances come up, and surplus ones go away, in the background.
   * @throws {HeimdallError} REGISTRY_UNAVAILABLE; `due` is set then.
   */
  run(): Promise<void> {
    const run = this.#turn.then(() => this.#run());
    this.#turn = run.catch(() => {});
    return run;
  }

  /** Resolves when no run is under way. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  async #run(): Promise<void> {
    const { registry, stopping } = this.#options.context;
    this.#due = false;
    if (stopping.aborted) return;
    try {
      const services = this.#options.services();
      for (const service of services) {
        // Whatever else changes its instances sees to their number, too.
        const levelling = this.#options.operations.tryRun(service.name, () => this.#level(service));
        if (levelling === null) this.#due = true;
        else await levelling;
      }
      await this.#dissolveUnconfigured(services, await registry.own());
    } catch (error) {
      this.#due = true;
      throw error;
    }
  }

  async #level(service: Service): Promise<void> {
    const { services, instances } = await this.#options.context.registry.own();
    const known = services.find((state) => state.service === service.name);
    const state = desiredStateOf(service, known);
    if (state !== known) await this.#options.context.registry.changeService(service.name, state);
    const present = standing(instances, service.name);
    const release = this.#options.releaseOf(service.name, known?.release);
    const surplus = firstToGo(present, present.length - state.desired, release.deployment);
    for (const instance of surplus) this.#retire(instance);
    const draft = draftOf(service.name, release, known, this.#options.place);
    await this.#fill(service, draft, state.desired - present.length);
  }

  async #fill(service: Service, draft: InstanceDraft, count: number): Promise<void> {
    const { context, fleet } = this.#options;
    try {
      for (let missing = count; missing > 0 && !context.stopping.aborted; missing -= 1) {
        for (const instance of await context.ports.reserve([draft], 0)) {
          // Supervision deals with a start that fails.
          fleet
            .add(instance, service)
            .start({ giveUp: false, fixedPort: false })
            .catch(() => {});
        }
      }
    } catch (error) {
      if (!hasCode(error, 'NO_FREE_PORT')) throw error;
      this.#raiseShortage(service.name, error.message);
      this.#due = true;
      return;
    }
    if (this.#short.delete(service.name)) context.alerts.resolve(shortageKey(service.name), context.clock());
  }

  async #dissolveUnconfigured(services: readonly Service[], { services: states, instances }: Snapshot): Promise<void> {
    const configured = new Set(services.map(({ name }) => name));
    for (const instance of instances) if (!configured.has(instance.service)) this.#retire(instance);
    for (const { service } of states) {
      if (!configured.has(service)) await this.#options.context.registry.forgetService(service);
    }
  }

  #retire(instance: Instance): void {
    const { fleet, context } = this.#options;
    const supervisor = fleet.get(instance.id);
    if (supervisor === undefined) return;
    fleet.retire(supervisor, { force: false, desiredDelta: 0, evenUnmarked: false }).catch((error: unknown) => {
      this.#due = true;
      context.log.warn({ instance: instance.id, reason: messageOf(error) }, 'the surplus instance is not removed yet');
    });
  }

  #raiseShortage(service: string, cause: string): void {
    const { alerts, clock } = this.#options.context;
    if (this.#short.has(service)) return;
    this.#short.add(service);
    const title = `no free port for ${service}`;
    alerts.raise({ key: shortageKey(service), severity: 'warning', title, cause, service, at: clock() });
  }
}

function shortageKey(service: string): string {
  return `no-free-port:${service}`;
}
