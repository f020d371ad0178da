import type { InstanceView } from '../../../internal/model/instance-view.ts';
import { nearest } from '../../../internal/model/nearest.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';
import { instanceNamed } from './instance-named.ts';

/** Whose logs are meant. */
export interface LogChoice {
  /** One instance: its lines stand alone, and the log ends with it. */
  readonly isOne: boolean;
  of(instances: readonly InstanceView[]): readonly Pick<InstanceView, 'id'>[];
}

/** One that is no more: nobody is asked whether it is there. */
export function formerInstance(id: string): LogChoice {
  return { isOne: true, of: () => [{ id }] };
}

/**
 * @param name - a service, or the id or port of an instance; undefined: all services.
 * @param services - the names of those that are configured.
 * @throws {CommandError} when nothing has that name.
 */
export function logChoice(
  name: string | undefined,
  services: readonly string[],
  instances: readonly InstanceView[],
): LogChoice {
  if (name === undefined) return { isOne: false, of: (present) => present };
  if (services.includes(name)) {
    return { isOne: false, of: (present) => present.filter(({ service }) => service === name) };
  }
  if (!instances.some(({ id, port }) => id === name || String(port) === name)) {
    const meant = nearest(name, [...services, ...instances.map(({ id }) => id)]);
    const advice = meant === undefined ? `there are the services ${services.join(', ')}` : `did you mean ${meant}?`;
    throw new CommandError(EXIT.failed, `no service, and no instance's id or port is "${name}"; ${advice}`);
  }
  const chosen = instanceNamed(instances, name);
  return { isOne: true, of: (present) => present.filter(({ id }) => id === chosen.id) };
}
