import { FIRST_RELEASE, releaseViewOf } from '../model/release.ts';
import type { Route, Service } from '../model/service.ts';
import { type ServiceState, settingsInForce } from '../model/service-state.ts';
import type { RouteView, ServiceDetailsView, ServiceView } from '../model/service-view.ts';
import { type ServiceSettings, settingsOfService } from '../model/settings.ts';
import type { WholeDeployment } from '../model/whole-deployment.ts';
import type { Snapshot } from '../registry/registry.ts';
import { serviceStatusOf } from './views.ts';

/** What the API shows of one service, with deployments as they are kept. */
export interface ServiceDetails extends Omit<ServiceDetailsView, 'deployments'> {
  /** The latest, newest first. */
  readonly deployments: readonly WholeDeployment[];
}

export function routeViewOf({ host, path, rateLimit }: Route): RouteView {
  return { host, path, rateLimit: rateLimit && { ...rateLimit, per: `${rateLimit.per / 1_000}s` } };
}

/** What is set of it. @param state - undefined: nothing is kept of it yet. */
export function serviceSettings(service: Service, state: ServiceState | undefined): ServiceSettings {
  const services = state === undefined ? [] : [state];
  return settingsOfService(serviceViewOf(service, { services, instances: [] }));
}

export function serviceViewOf(service: Service, snapshot: Pick<Snapshot, 'services' | 'instances'>): ServiceView {
  const state = snapshot.services.find((each) => each.service === service.name);
  const { algorithm, maxConnections } = settingsInForce(service, state);
  const release = state?.release ?? FIRST_RELEASE;
  const weight = state?.overrides.weight;
  const overridden = [
    ...(algorithm === service.algorithm ? [] : ['algorithm']),
    ...(maxConnections === service.maxConnections ? [] : ['maxConnections']),
    ...(weight === undefined ? [] : ['weight']),
  ];
  const pausedSince = state?.pausedSince ?? null;
  return {
    ...serviceStatusOf(service, snapshot),
    spawned: service.command !== undefined,
    algorithm,
    maxConnections,
    weight: weight ?? 1,
    overridden,
    version: release.version,
    release: releaseViewOf(release),
    deploying: state?.deploying ?? null,
    pausedSince: pausedSince === null ? null : new Date(pausedSince).toISOString(),
  };
}
