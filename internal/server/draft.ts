import type { Release } from '../model/release.ts';
import type { ServiceState } from '../model/service-state.ts';
import type { InstanceDraft } from '../registry/registry.ts';

/** Where a manager's instances run. */
export interface Place {
  /** Null: there is only one. */
  readonly node: string | null;
  /** Where they are reached. */
  readonly host: string;
}

/** An instance of the service that runs the release. @param state - what is kept of the service; tells the weight. */
export function draftOf(
  service: string,
  release: Release,
  state: Pick<ServiceState, 'overrides'> | undefined,
  { node, host }: Place,
): InstanceDraft {
  return { ...release, service, node, host, weight: state?.overrides.weight ?? 1 };
}
