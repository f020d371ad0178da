import type { Instance } from '../model/instance.ts';
import { afterFault, NO_FAULTS, restartDelay } from './restart-policy.ts';
import { inSeconds } from './running-process.ts';
import type { SupervisorContext } from './supervisor-context.ts';

/** Why an instance is not ready although it should be. */
export interface Fault {
  readonly kind: 'instance.exited' | 'instance.start-failed';
  readonly message: string;
  readonly logTail: readonly string[];
  /** Of the process; null when it was ended by a signal, or did not end. */
  readonly exitCode: number | null;
}

/** Counts the faults of one instance, and calls a person when they become a crash loop. */
export class FaultAlarm {
  readonly #context: SupervisorContext;
  readonly #key: string;
  #faults = NO_FAULTS;
  #raised = false;

  constructor(context: SupervisorContext, instanceId: string) {
    this.#context = context;
    this.#key = `crash-loop:${instanceId}`;
  }

  get inCrashLoop(): boolean {
    return this.#faults.looping;
  }

  /** How long to wait before the next try, in milliseconds. */
  get delayMs(): number {
    return restartDelay(this.#faults, this.#context.restart, this.#context.random);
  }

  count(): void {
    this.#faults = afterFault(this.#faults, this.#context.clock(), this.#context.restart);
  }

  /** Raises the alert of a crash loop, once. */
  tell(instance: Instance, { message, logTail }: Fault): void {
    if (!this.inCrashLoop || this.#raised) return;
    const { alerts, clock, journal, restart } = this.#context;
    const { id, service } = instance;
    this.#raised = true;
    const cause = [message, ...logTail].join('\n');
    const title = `${id} keeps failing`;
    alerts.raise({ key: this.#key, severity: 'critical', title, cause, service, instance: id, at: clock() });
    const pace = `${restart.crashLimit} faults within ${inSeconds(restart.crashWindowMs)}`;
    journal.record('instance.crash-loop', instance, `${title}: ${pace}; next try in about ${inSeconds(this.delayMs)}`);
  }

  /** Ready for long enough, or gone for good: whatever comes now is a new trouble. An earlier manager may have raised the alert. */
  clear(): void {
    this.#faults = NO_FAULTS;
    this.#raised = false;
    this.#context.alerts.resolve(this.#key, this.#context.clock());
  }
}
