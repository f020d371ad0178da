import type { Instance } from '../model/instance.ts';
import { configuredInstances, type Service } from '../model/service.ts';
import type { ServiceState } from '../model/service-state.ts';

/**
 * How many instances a service should have, as far as that is different from what is known. The configuration decides when the
 * service is new and whenever its `instances` has changed; in between, what was added and removed counts. Nothing is spawned
 * without a command.
 */
export function desiredStateOf(
  service: Service,
  known: Pick<ServiceState, 'desired' | 'configured'> | undefined,
): Pick<ServiceState, 'desired' | 'configured'> {
  const configured = configuredInstances(service);
  if (known && known.configured === configured && service.command) return known;
  return { desired: configured, configured };
}

/** The instances that count toward the desired number: all but those on their way out. */
export function standing(instances: readonly Instance[], service: string): Instance[] {
  return instances.filter((instance) => instance.service === service && instance.lifecycle !== 'draining');
}

/** The newest `count` of the instances, none when it is negative; one that was never started is newer than any. */
export function newest(instances: readonly Instance[], count: number): Instance[] {
  const age = ({ startedAt }: Instance) => startedAt ?? Number.POSITIVE_INFINITY;
  return instances
    .toSorted((a, b) => (age(a) === age(b) ? b.port - a.port : age(b) - age(a)))
    .slice(0, Math.max(0, count));
}
