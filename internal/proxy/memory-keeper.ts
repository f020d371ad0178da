import type { Logger } from '../../pkg/logger/logger.ts';
import type { EjectionRecord } from '../model/ejection.ts';
import type { HealthRecord } from '../model/health.ts';
import { HealthSaver } from '../registry/health-saver.ts';
import type { ProxyRegistry } from '../registry/registry.ts';
import type { Fleet } from './fleet.ts';

/** Heartbeats between two times at which latencies are kept. */
const BEATS_PER_SAVING = 5;

export interface MemoryKeeperOptions {
  readonly registry: ProxyRegistry;
  readonly fleet: Fleet;
  readonly log: Logger;
}

/**
 * Keeps in the registry what a load balancer has found out about instances (health, ejections, latencies), for itself after
 * a restart and for whoever comes after it. What cannot be written now is written with a later heartbeat.
 */
export class MemoryKeeper {
  readonly #options: MemoryKeeperOptions;
  readonly #health: HealthSaver;
  #ejectionsUnsaved = false;
  /** Instances whose ejections the registry may still have, by id. */
  readonly #ejected = new Set<string>();
  #beats = 0;
  /** A successor learns on; what we know is older. */
  #isRetired = false;

  constructor(options: MemoryKeeperOptions) {
    this.#options = options;
    this.#health = new HealthSaver(options.registry);
  }

  /** Tells the fleet what was kept. Never rejects: without it, all is found out anew. */
  async recall(): Promise<void> {
    const { registry, fleet, log } = this.#options;
    try {
      const ejections = await registry.ejections();
      fleet.remember(await registry.health(), await registry.latencies(), ejections);
      for (const { instanceId } of ejections) this.#ejected.add(instanceId);
    } catch (error) {
      log.debug({ err: error }, 'no health from an earlier run');
    }
  }

  saveHealth(record: HealthRecord): void {
    this.#health.save(record);
  }

  /** What is ejected now. */
  saveEjectionsSoon(): void {
    this.#ejectionsUnsaved = true;
    queueMicrotask(() => void this.#saveEjections());
  }

  /** What the algorithms have learned. Never rejects. */
  async saveLatencies(): Promise<void> {
    const { registry, fleet, log } = this.#options;
    const records = this.#isRetired ? [] : fleet.latencies();
    if (records.length === 0) return;
    await registry
      .saveLatencies(records)
      .catch((error: unknown) => log.debug({ err: error }, 'no latencies were kept'));
  }

  /** To be called with every heartbeat. Never rejects. */
  async beat(): Promise<void> {
    await this.#health.flush();
    await this.#saveEjections();
    this.#beats += 1;
    if (this.#beats % BEATS_PER_SAVING === 0) await this.saveLatencies();
  }

  /** A successor keeps what it learns from now on. */
  retire(): void {
    this.#isRetired = true;
  }

  async #saveEjections(): Promise<void> {
    if (!this.#ejectionsUnsaved || this.#isRetired) return;
    this.#ejectionsUnsaved = false;
    const { registry, fleet } = this.#options;
    const records = fleet.ejections();
    const ids = idsOf(records);
    const over = [...this.#ejected].filter((id) => !ids.has(id));
    for (const id of ids) this.#ejected.add(id);
    try {
      await registry.saveEjections(records, over);
      const again = idsOf(fleet.ejections()); // meanwhile
      for (const id of over) if (!again.has(id)) this.#ejected.delete(id);
    } catch {
      this.#ejectionsUnsaved = true; // the next heartbeat tries again
    }
  }
}

function idsOf(records: readonly EjectionRecord[]): Set<string> {
  return new Set(records.map(({ instanceId }) => instanceId));
}
