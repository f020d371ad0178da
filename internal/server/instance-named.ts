import { HeimdallError } from '../model/errors.ts';
import { declaredInstances, type Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import { isRegistryAway, type RegistryReader } from '../registry/registry.ts';
import type { Fleet } from './fleet.ts';
import type { Supervisor } from './supervisor.ts';

interface Known {
  readonly fleet: Fleet;
  readonly registry: Pick<RegistryReader, 'snapshot'>;
  readonly services: readonly Service[];
}

/** An instance that somebody names: one that heimdall spawned, that an agent announced, or that is declared. */
type NamedInstance =
  | { readonly kind: 'spawned'; readonly supervisor: Supervisor }
  | { readonly kind: 'announced'; readonly instance: Instance }
  | { readonly kind: 'declared'; readonly instance: Instance };

/**
 * The instance that is called by its id or its port.
 * @throws {HeimdallError} INSTANCE_NOT_FOUND, also when several have the port.
 */
export async function instanceNamed(name: string, { fleet, registry, services }: Known): Promise<NamedInstance> {
  const own = fleet.get(name);
  if (own !== undefined) return { kind: 'spawned', supervisor: own };
  const port = portOf(name);
  const isMeant = (instance: Instance) => (port === null ? instance.id === name : instance.port === port);
  const spawned = port === null ? undefined : fleet.byPort(port);
  const announced = (await announcedInstances(registry)).filter(isMeant);
  assertOne(name, [...(spawned === undefined ? [] : [spawned.instance]), ...announced]);
  if (spawned !== undefined) return { kind: 'spawned', supervisor: spawned };
  const [instance] = announced;
  if (instance !== undefined) return { kind: 'announced', instance };
  const declared = services.flatMap(declaredInstances).filter(isMeant);
  assertOne(name, declared);
  if (declared[0] === undefined) throw instanceNotFound(name);
  return { kind: 'declared', instance: declared[0] };
}

/**
 * The supervisor of the instance that is called by its id or its port.
 * @param hint - what to do about one that heimdall did not spawn.
 * @throws {HeimdallError} INSTANCE_NOT_FOUND; NOT_SPAWNED.
 */
export async function supervisorNamed(name: string, known: Known, hint: string): Promise<Supervisor> {
  const named = await instanceNamed(name, known);
  if (named.kind === 'spawned') return named.supervisor;
  throw notSpawned(named.instance.id, hint);
}

export function notSpawned(id: string, hint: string): HeimdallError {
  return new HeimdallError('NOT_SPAWNED', `${id} was not spawned by heimdall: ${hint}`);
}

/** @throws {HeimdallError} INSTANCE_NOT_FOUND when there are several. */
export function assertOne(name: string, candidates: readonly { readonly id: string }[]): void {
  if (candidates.length < 2) return;
  const ids = candidates.map(({ id }) => id);
  const message = `several instances have port ${name}: ${ids.join(', ')}; use an id`;
  throw new HeimdallError('INSTANCE_NOT_FOUND', message, { ids });
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

/** None while the registry is away: what this manager supervises can be named all the same. */
async function announcedInstances(registry: Known['registry']): Promise<readonly Instance[]> {
  try {
    const { instances } = await registry.snapshot();
    return instances.filter(({ agent, lifecycle }) => agent !== null && lifecycle !== 'stopped');
  } catch (error) {
    if (isRegistryAway(error)) return [];
    throw error;
  }
}
