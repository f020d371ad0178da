import type { HealthRecord } from '../model/health.ts';
import type { RegistryReader } from '../registry/registry.ts';
import type { Journal } from './journal.ts';

/** Keeps as events what the load balancers tell of ejections. */
export class EjectionJournal {
  readonly #registry: Pick<RegistryReader, 'health' | 'snapshot'>;
  readonly #journal: Pick<Journal, 'record'>;
  readonly #speaks: () => boolean;
  /** By incarnation; null before the first look, which is about what an earlier manager has seen. */
  #ejected: ReadonlyMap<string, HealthRecord> | null = null;

  /** @param speaks - whether this manager does so for all: they see the same. */
  constructor(
    registry: Pick<RegistryReader, 'health' | 'snapshot'>,
    journal: Pick<Journal, 'record'>,
    speaks: () => boolean,
  ) {
    this.#registry = registry;
    this.#journal = journal;
    this.#speaks = speaks;
  }

  /** To be called every second. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
  async look(): Promise<void> {
    const before = this.#ejected;
    const now = new Map((await this.#registry.health('ejected')).map((record) => [record.incarnation, record]));
    const came = [...now.values()].filter(({ incarnation }) => before?.has(incarnation) === false);
    const gone = new Set([...(before?.keys() ?? [])].filter((incarnation) => !now.has(incarnation)));
    const healthy = gone.size === 0 ? [] : await this.#registry.health('healthy');
    const back = healthy.filter(({ incarnation }) => gone.has(incarnation));
    if (came.length + back.length > 0 && this.#speaks()) {
      const { instances } = await this.#registry.snapshot();
      const services = new Map(instances.map(({ id, service }) => [id, service]));
      const subject = (id: string) => ({ id, service: services.get(id) ?? (id.split('@', 1)[0] || id) });
      for (const { instanceId: id, cause } of came) {
        this.#journal.record('instance.ejected', subject(id), `${id} is ejected: ${cause}`);
      }
      for (const { instanceId: id } of back) {
        this.#journal.record('instance.readmitted', subject(id), `${id} answers again, and gets requests as before`);
      }
    }
    this.#ejected = now;
  }
}
