import type { Deployment } from '../model/deployment.ts';
import type { InstanceView } from '../model/instance.ts';
import { FIRST_RELEASE, type ReleaseView, releaseViewOf } from '../model/release.ts';
import type { RateLimit } from '../model/rate-limit.ts';
import type { Route, Service } from '../model/service.ts';
import { settingsInForce } from '../model/service-state.ts';
import type { Snapshot } from '../registry/registry.ts';
import { type ServiceStatus, serviceStatusOf } from './views.ts';

/** A service as the API shows it: how it fares, and what is in force. */
export interface ServiceView extends ServiceStatus {
  /** Requests that one instance may have in flight; null: no limit. */
  readonly maxConnections: number | null;
  /** Of new instances. */
  readonly weight: number;
  /** What was set by hand and is not as configured. */
  readonly overridden: readonly string[];
  readonly version: string | null;
  readonly release: ReleaseView;
  /** The deployment that is under way; null: none. */
  readonly deploying: number | null;
  /** ISO 8601; null: it is not paused. */
  readonly pausedSince: string | null;
}

export interface RouteView extends Pick<Route, 'host' | 'path'> {
  /** `per` in seconds, as `"60s"`; null: as many requests as come. */
  readonly rateLimit: (Omit<RateLimit, 'per'> & { readonly per: string }) | null;
}

export interface ServiceDetails extends ServiceView {
  readonly routes: readonly RouteView[];
  /** What a deployment may choose. */
  readonly versions: readonly string[];
  readonly instances: readonly InstanceView[];
  /** The latest, newest first. */
  readonly deployments: readonly Deployment[];
}

export function routeViewOf({ host, path, rateLimit }: Route): RouteView {
  return { host, path, rateLimit: rateLimit && { ...rateLimit, per: `${rateLimit.per / 1_000}s` } };
}

export function serviceViewOf(service: Service, snapshot: Snapshot): ServiceView {
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
