import type { Alert } from '../../pkg/alerts/alert.ts';
import type { AlertDispatcher } from '../../pkg/alerts/dispatcher.ts';
import { HOST_KINDS, isKeyOfKind } from '../../pkg/alerts/rules/kinds.ts';
import type { Clock } from '../../pkg/clock/clock.ts';

/** How long a trouble may take to show again that a former manager has told of, in milliseconds. */
const GRACE_MS = 60_000;
/** What only the work itself ends: the next deployment that succeeds, an instance that has been ready for long enough. */
const ENDS_BY_ITSELF = /^(deployment|crash-loop):/;

/** What becomes of the conditions that held when the manager before this one ended. */
export class InheritedAlerts {
  readonly #alerts: Pick<AlertDispatcher, 'takeOver' | 'inherited' | 'resolve'>;
  readonly #clock: Clock;
  #cancel: (() => void) | null = null;

  constructor(alerts: Pick<AlertDispatcher, 'takeOver' | 'inherited' | 'resolve'>, clock: Clock) {
    this.#alerts = alerts;
    this.#clock = clock;
  }

  /** To be called before anything is raised. */
  async takeOver(): Promise<void> {
    await this.#alerts.takeOver();
  }

  /** Ends the troubles of instances that are gone at once, and after a while those that did not show again. */
  check(instances: ReadonlySet<string>): void {
    this.#resolve(({ instance }) => instance !== undefined && !instances.has(instance));
    this.#cancel = this.#clock.after(GRACE_MS, () => this.#resolve((alert) => !endsByItself(alert)));
  }

  stop(): void {
    this.#cancel?.();
  }

  #resolve(isOver: (alert: Alert) => boolean): void {
    for (const alert of this.#alerts.inherited().filter(isOver)) this.#alerts.resolve(alert.key);
  }
}

/** So does a look that finds a rule kept. */
function endsByItself({ key }: Alert): boolean {
  return ENDS_BY_ITSELF.test(key) || isKeyOfKind(key, HOST_KINDS);
}
