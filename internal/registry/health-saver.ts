import type { HealthRecord } from '../model/health.ts';
import type { ProxyRegistry } from './registry.ts';

/** Keeps in the registry what checks have found out. What cannot be written now is written with a later `flush`. */
export class HealthSaver {
  readonly #registry: Pick<ProxyRegistry, 'saveHealth'>;
  readonly #unsaved = new Map<string, HealthRecord>();
  #saving = false;

  constructor(registry: Pick<ProxyRegistry, 'saveHealth'>) {
    this.#registry = registry;
  }

  save(record: HealthRecord): void {
    this.#unsaved.set(record.instanceId, record);
    void this.flush();
  }

  /** One call at a time, so that none that fails brings back what a later one was about to save. Never rejects. */
  async flush(): Promise<void> {
    if (this.#saving) return;
    this.#saving = true;
    while (this.#unsaved.size > 0) {
      const records = [...this.#unsaved.values()];
      this.#unsaved.clear();
      try {
        await this.#registry.saveHealth(records);
      } catch {
        // Kept for the next heartbeat, unless something newer came meanwhile.
        const newer = new Set(this.#unsaved.keys());
        for (const record of records) if (!newer.has(record.instanceId)) this.#unsaved.set(record.instanceId, record);
        break;
      }
    }
    this.#saving = false;
  }
}
