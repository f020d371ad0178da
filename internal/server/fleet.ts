import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import { isRegistryAway } from '../registry/registry.ts';
import { type RemoveOptions, Supervisor } from './supervisor.ts';
import type { SupervisorContext } from './supervisor-context.ts';

/** The supervisors of all instances that this manager answers for. */
export class Fleet {
  readonly #context: SupervisorContext;
  readonly #supervisors = new Map<string, Supervisor>();

  constructor(context: SupervisorContext) {
    this.#context = context;
  }

  /** A new one, whose row was just reserved. Supervision begins with the supervisor's `start`. */
  add(instance: Instance, service: Service): Supervisor {
    const { id, port } = instance;
    this.#context.journal.record('instance.added', instance, `${id} is added on port ${port}`);
    return this.take(instance, service);
  }

  /** One that an earlier manager has left. Supervision begins with the supervisor's `adopt` or `revive`. */
  take(instance: Instance, service: Service): Supervisor {
    const supervisor = new Supervisor(instance, service, this.#context);
    this.#supervisors.set(instance.id, supervisor);
    return supervisor;
  }

  get(id: string): Supervisor | undefined {
    return this.#supervisors.get(id);
  }

  instances(): Instance[] {
    return this.#all().map(({ instance }) => instance);
  }

  ofService(service: string): Supervisor[] {
    return this.#all().filter(({ instance }) => instance.service === service);
  }

  byPort(port: number): Supervisor | undefined {
    return this.#all().find(({ instance }) => instance.port === port);
  }

  /** Removes an instance; it belongs to the fleet until that has succeeded. */
  async retire(supervisor: Supervisor, options: RemoveOptions): Promise<Instance> {
    const instance = await supervisor.remove(options);
    this.#supervisors.delete(supervisor.id);
    return instance;
  }

  configure(services: readonly Service[]): void {
    for (const supervisor of this.#all()) {
      const service = services.find(({ name }) => name === supervisor.instance.service);
      if (service) supervisor.configure(service);
    }
  }

  /** Resolves when no instance is being started. */
  async settled(): Promise<void> {
    for (;;) {
      const pending = this.#all().flatMap(({ attempt }) => attempt ?? []);
      if (pending.length === 0) return;
      await Promise.all(pending);
    }
  }

  /** Drains and stops every instance, all at once; whatever the registry says, no process remains. */
  async stopAll(): Promise<void> {
    const options = { force: false, desiredDelta: 0, evenUnmarked: true };
    await Promise.all(
      this.#all().map(async (supervisor) => {
        try {
          // The first call may join a removal that insists on the registry.
          await this.retire(supervisor, options).catch(() => this.retire(supervisor, options));
        } catch (error) {
          const reason = isRegistryAway(error) ? 'stopped, but its row stays' : 'could not be stopped';
          this.#context.log.error({ instance: supervisor.id, err: error }, reason);
        }
      }),
    );
  }

  /** Leaves every instance running for the next manager. */
  async releaseAll(): Promise<void> {
    await Promise.all(this.#all().map((supervisor) => supervisor.release()));
    this.#supervisors.clear();
  }

  #all(): Supervisor[] {
    return [...this.#supervisors.values()];
  }
}
