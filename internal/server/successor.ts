import type { Service } from '../model/service.ts';
import { abortable } from './abortable.ts';
import type { Place } from './draft.ts';
import type { Fleet } from './fleet.ts';
import type { Supervisor } from './supervisor.ts';
import type { SupervisorContext } from './supervisor-context.ts';

export interface SuccessorParts {
  readonly context: SupervisorContext;
  readonly fleet: Fleet;
  /** Where spawned instances are reached. */
  readonly place: Place;
}

/**
 * An instance, not started yet, that will run what the other one runs, beside it.
 * @throws {HeimdallError} NO_FREE_PORT, REGISTRY_UNAVAILABLE.
 */
export async function reserveSuccessor(
  { instance }: Supervisor,
  service: Service,
  { context, fleet, place }: SuccessorParts,
): Promise<Supervisor> {
  const { weight, version, variant, deployment, env } = instance;
  const draft = { ...place, service: service.name, weight, version, variant, deployment, env };
  const [row] = await context.ports.reserve([draft], 0);
  if (row === undefined) throw new Error('no row was reserved');
  return fleet.add(row, service);
}

/**
 * Resolves when it is ready.
 * @throws why it did not get ready; nothing of it remains then, unless the manager stops, which ends or releases whatever is there.
 */
export async function startSuccessor(fresh: Supervisor, { context, fleet }: SuccessorParts): Promise<void> {
  try {
    await abortable(fresh.start({ giveUp: true, fixedPort: false }), context.stopping);
  } catch (error) {
    if (!context.stopping.aborted) await fleet.retire(fresh, { force: true, desiredDelta: 0, evenUnmarked: true });
    throw error;
  }
}

/**
 * Resolves when the drained one is gone. A weight that it was given meanwhile holds for its successor, unless that has one of its own.
 * @param successor - with the weight that it was reserved with.
 * @throws {HeimdallError} REGISTRY_UNAVAILABLE: it stays; SHUTTING_DOWN.
 */
export async function retirePredecessor(
  old: Supervisor,
  successor: { readonly fresh: Supervisor; readonly weight: number },
  { context, fleet }: SuccessorParts,
): Promise<void> {
  const { fresh, weight } = successor;
  const present = old.instance.weight;
  if (present !== weight && fresh.instance.weight === weight) await fresh.weigh(present);
  const removal = fleet.retire(old, { force: false, desiredDelta: 0, evenUnmarked: false });
  await abortable(removal, context.stopping);
}
