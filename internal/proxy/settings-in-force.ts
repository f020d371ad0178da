import type { Service } from '../model/service.ts';
import { type ServiceState, settingsInForce } from '../model/service-state.ts';

/** What one service is told to be: by the configuration, and by the registry on top of it. */
export interface ServiceOrders {
  /** The same object for as long as nothing in it has changed. */
  readonly service: Service;
  /** Null: the registry knows nothing of it. */
  readonly state: ServiceState | null;
}

/** Brings the configuration and the registry's picture of the services together. */
export class SettingsInForce {
  #configured: readonly Service[] = [];
  #states: ReadonlyMap<string, ServiceState> = new Map();
  #orders: readonly ServiceOrders[] = [];

  set configured(services: readonly Service[]) {
    this.#configured = services;
    this.#orders = services.map((service) => this.#ordersOf(service, undefined));
  }

  set states(states: readonly ServiceState[]) {
    this.#states = new Map(states.map((state) => [state.service, state]));
    this.#orders = this.#configured.map((service, index) => this.#ordersOf(service, this.#orders[index]?.service));
  }

  /** One for each configured service, in the order of the configuration. */
  get orders(): readonly ServiceOrders[] {
    return this.#orders;
  }

  /** @param before - what was in force under the same configuration. */
  #ordersOf(configured: Service, before: Service | undefined): ServiceOrders {
    const state = this.#states.get(configured.name) ?? null;
    const next = settingsInForce(configured, state ?? undefined);
    const known = [configured, before].find((service) => service !== undefined && sameOverrides(service, next));
    return { service: known ?? next, state };
  }
}

/** Of two versions of the same configured service. */
function sameOverrides(a: Service, b: Service): boolean {
  return a.algorithm === b.algorithm && a.maxConnections === b.maxConnections;
}
