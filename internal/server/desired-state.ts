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

/**
 * The `count` instances that are missed least, none when it is negative: those that do not run, then those of another
 * release than the present one, then the newest; one that was never started is newer than any.
 * @param deployment - whose release is the present one.
 */
export function firstToGo(instances: readonly Instance[], count: number, deployment: number | null): Instance[] {
  const rank = (instance: Instance) =>
    (instance.lifecycle === 'ready' ? 2 : 0) + (instance.deployment === deployment ? 1 : 0);
  const age = ({ startedAt }: Instance) => startedAt ?? Number.POSITIVE_INFINITY;
  return instances
    .toSorted((a, b) => rank(a) - rank(b) || (age(a) === age(b) ? b.port - a.port : age(b) - age(a)))
    .slice(0, Math.max(0, count));
}
