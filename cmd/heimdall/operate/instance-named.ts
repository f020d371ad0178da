import type { InstanceView } from '../../../internal/model/instance-view.ts';
import { nearest } from '../../../internal/model/nearest.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';

/**
 * The instance that a person means, by its id or its port.
 * @throws {CommandError} when there is none, or several have that port.
 */
export function instanceNamed(instances: readonly InstanceView[], name: string): InstanceView {
  const byId = instances.find(({ id }) => id === name);
  if (byId !== undefined) return byId;
  const byPort = instances.filter(({ port }) => String(port) === name);
  const [first, second] = byPort;
  if (first === undefined) throw new CommandError(EXIT.failed, unknown(instances, name));
  if (second === undefined) return first;
  const ids = byPort.map(({ id }) => id).join(', ');
  throw new CommandError(EXIT.failed, `several instances have the port ${name}: name one by its id (${ids})`);
}

function unknown(instances: readonly InstanceView[], name: string): string {
  const isPort = /^\d+$/.test(name); // one that is near is no more likely than any other
  const meant = isPort
    ? undefined
    : nearest(
        name,
        instances.map(({ id }) => id),
      );
  const advice = meant === undefined ? 'heimdall servers list shows those there are' : `did you mean ${meant}?`;
  return `no instance has the id or port "${name}"; ${advice}`;
}
