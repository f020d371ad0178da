import { HeimdallError, messageOf } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import type { InstanceDraft } from '../registry/registry.ts';
import { abortable } from './abortable.ts';
import type { Fleet } from './fleet.ts';
import { assertAllowedEnv } from './launch-plan.ts';
import type { PortAllocator } from './ports.ts';
import { serviceNamed } from './service-named.ts';
import type { Supervisor } from './supervisor.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import { variantNamed } from './variants.ts';

export interface AddRequest {
  /** Default: the first service that has a command. */
  readonly service?: string;
  readonly count: number;
  readonly weight?: number;
  /** Only with a count of 1. */
  readonly port?: number;
  readonly version?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether to resolve once every instance is ready, or as soon as the rows exist. */
  readonly wait: boolean;
}

/**
 * Reserves rows and ports for all of them, starts them and, with `wait`, sees each of them ready.
 * @param newDraft - a new instance of the service, unless the request says otherwise.
 * @throws {HeimdallError} SERVICE_NOT_FOUND, NOT_SPAWNED, INVALID_REQUEST, PORT_TAKEN, NO_FREE_PORT, or why one did not get
 * ready: then none of them remains.
 */
export async function addInstances(
  request: AddRequest,
  services: readonly Service[],
  fleet: Fleet,
  context: SupervisorContext,
  newDraft: (service: string) => Promise<InstanceDraft>,
): Promise<Instance[]> {
  const service = spawnableService(services, request.service);
  assertAllowedEnv(request.env ?? {});
  const draft = asRequested(request, service, await newDraft(service.name));
  const instances = await reserve(request, draft, context.ports);
  const supervisors = instances.map((instance) => fleet.add(instance, service));
  const options = { giveUp: request.wait, fixedPort: request.port !== undefined };
  const ready = Promise.all(supervisors.map((supervisor) => supervisor.start(options)));
  if (request.wait) await allOrNone(ready, supervisors, fleet, context);
  else ready.catch(() => {}); // supervision deals with it
  return supervisors.map(({ instance }) => instance);
}

function spawnableService(services: readonly Service[], name: string | undefined): Service {
  const service = name === undefined ? services.find(({ command }) => command) : serviceNamed(services, name);
  if (service?.command) return service;
  if (service) throw new HeimdallError('NOT_SPAWNED', `service ${service.name} has no command in the configuration`);
  throw new HeimdallError('NOT_SPAWNED', 'no service in the configuration has a command');
}

/** @throws {HeimdallError} INVALID_REQUEST. */
function asRequested({ version, weight, env }: AddRequest, service: Service, draft: InstanceDraft): InstanceDraft {
  const named = version === undefined ? draft : { ...draft, version, variant: variantNamed(service, version) };
  return { ...named, weight: weight ?? draft.weight, env: { ...draft.env, ...env } };
}

async function reserve({ count, port }: AddRequest, draft: InstanceDraft, ports: PortAllocator): Promise<Instance[]> {
  if (port === undefined)
    return ports.reserve(
      Array.from({ length: count }, () => draft),
      count,
    );
  if (count !== 1) throw new HeimdallError('INVALID_REQUEST', 'a port can be given for one instance only');
  return [await ports.reserveExactly(draft, port, 1)];
}

/** Takes all of them away again when one does not get ready, or when the manager stops first. */
async function allOrNone(
  ready: Promise<unknown>,
  supervisors: readonly Supervisor[],
  fleet: Fleet,
  { stopping, log }: SupervisorContext,
): Promise<void> {
  try {
    await abortable(ready, stopping);
  } catch (error) {
    const options = { force: false, desiredDelta: -1, evenUnmarked: true };
    const removals = await Promise.allSettled(supervisors.map((supervisor) => fleet.retire(supervisor, options)));
    for (const removal of removals) {
      if (removal.status === 'rejected')
        log.error({ err: removal.reason }, 'an instance that was not wanted stays behind');
    }
    if (supervisors.length === 1 || !(error instanceof HeimdallError)) throw error;
    const message = `none of ${supervisors.length} instances was added: ${messageOf(error)}`;
    throw new HeimdallError(error.code, message, error.context, { cause: error });
  }
}
