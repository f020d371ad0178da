import { HeimdallError } from '../model/errors.ts';
import { declaredInstances } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import type { Fleet } from './fleet.ts';
import type { Supervisor } from './supervisor.ts';

/**
 * The supervisor of the instance that is called by its id or its port.
 * @param hint - what to do about one that heimdall did not spawn.
 * @throws {HeimdallError} INSTANCE_NOT_FOUND; NOT_SPAWNED for a declared one.
 */
export function supervisorNamed(
  fleet: Fleet,
  services: readonly Service[],
  name: string,
  hint: (declared: { readonly id: string; readonly service: string }) => string,
): Supervisor {
  const port = portOf(name);
  const supervisor = fleet.get(name) ?? (port === null ? undefined : fleet.byPort(port));
  if (supervisor !== undefined) return supervisor;
  const declared = services.flatMap(declaredInstances).find((each) => each.id === name || each.port === port);
  if (declared === undefined) throw instanceNotFound(name);
  throw new HeimdallError('NOT_SPAWNED', `${declared.id} was not spawned by heimdall${hint(declared)}`);
}

/** Null when the name is no port. */
export function portOf(name: string): number | null {
  return /^[1-9]\d*$/.test(name) ? Number(name) : null;
}

export function instanceNotFound(name: string): HeimdallError {
  const port = portOf(name);
  const message = `there is no instance ${port === null ? '' : 'on port '}${name}; GET /servers/list shows the ids and ports`;
  return new HeimdallError('INSTANCE_NOT_FOUND', message, port === null ? { id: name } : { port });
}
