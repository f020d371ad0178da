import type { AlertStore } from '../../pkg/alerts/store.ts';
import type { HealthRecord } from '../model/health.ts';
import type { StoredEvent } from '../model/event.ts';
import type { EjectionRecord } from '../model/ejection.ts';
import type {
  LatencyRecord,
  ManagerRecord,
  ProxyRecord,
  ProxyRegistry,
  RegistryListener,
  Snapshot,
} from './registry.ts';

const FORGETFUL: AlertStore = {
  async save() {},
  takeOver: async () => ({ outages: [], deliveries: [] }),
  controls: async () => ({ silences: [], acknowledged: new Set() }),
  channels: async () => [],
};
const EMPTY: Snapshot = { registryId: 'none', revision: 0, services: [], instances: [] };

/** For a load balancer whose configuration names every instance: there is no manager to hear from, and nothing to keep. */
export class NoRegistry implements ProxyRegistry {
  readonly proxyId: string;
  readonly alerts = FORGETFUL;

  constructor(proxyId: string) {
    this.proxyId = proxyId;
  }

  async snapshot(): Promise<Snapshot> {
    return EMPTY;
  }

  watch(listener: RegistryListener, signal: AbortSignal): void {
    queueMicrotask(() => {
      if (!signal.aborted) listener.changed(EMPTY);
    });
  }

  async health(): Promise<HealthRecord[]> {
    return [];
  }

  async proxies(): Promise<ProxyRecord[]> {
    return [];
  }

  async manager(): Promise<ManagerRecord | null> {
    return null;
  }

  async events(): Promise<StoredEvent[]> {
    return [];
  }

  async report(): Promise<void> {}

  async saveHealth(): Promise<void> {}

  async latencies(): Promise<LatencyRecord[]> {
    return [];
  }

  async saveLatencies(): Promise<void> {}

  async ejections(): Promise<EjectionRecord[]> {
    return [];
  }

  async saveEjections(): Promise<void> {}

  async saveSample(): Promise<void> {}

  async watchedUntil(): Promise<number> {
    return 0;
  }

  stepBack(): void {}

  async withdraw(): Promise<void> {}

  async close(): Promise<void> {}
}
