import type { Release } from '../model/release.ts';
import type { ServiceState } from '../model/service-state.ts';
import type { InstanceDraft } from '../registry/registry.ts';

/** An instance of the service that runs the release. @param state - what is kept of the service; tells the weight. */
export function draftOf(
  service: string,
  release: Release,
  state: Pick<ServiceState, 'overrides'> | undefined,
  host: string,
): InstanceDraft {
  return { ...release, service, host, weight: state?.overrides.weight ?? 1 };
}
