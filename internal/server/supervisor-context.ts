import type { AlertSink } from '../../pkg/alerts/alert.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { HeimdallError } from '../model/errors.ts';
import type { RegistryWriter } from '../registry/registry.ts';
import type { Journal } from './journal.ts';
import type { Environment } from './launch-plan.ts';
import type { PortAllocator } from './ports.ts';
import type { RestartPolicy } from './restart-policy.ts';

/** What all supervisors of a manager share. */
export interface SupervisorContext {
  readonly registry: RegistryWriter;
  readonly ports: PortAllocator;
  readonly journal: Journal;
  readonly alerts: AlertSink;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly restart: RestartPolicy;
  /** Takes the output of the instances. */
  readonly logDir: string;
  /** The manager's own environment, of which instances get a few variables. */
  readonly baseEnv: Environment;
  /** Aborted when the manager stops: what waits for the registry gives up then. */
  readonly stopping: AbortSignal;
}

export function shuttingDown(): HeimdallError {
  return new HeimdallError('SHUTTING_DOWN', 'the manager is shutting down');
}
