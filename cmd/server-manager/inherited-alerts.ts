import type { Alert } from '../../pkg/alerts/alert.ts';
import type { AlertDispatcher } from '../../pkg/alerts/dispatcher.ts';
import { HOST_KINDS, isKeyOfKind } from '../../pkg/alerts/rules/kinds.ts';
import type { Clock } from '../../pkg/clock/clock.ts';

/** How long a trouble may take to show again that a former manager has told of, in milliseconds. */
const GRACE_MS = 60_000;
/** What only the work itself ends: the next deployment that succeeds, an instance that has been ready for long enough. */
const ENDS_BY_ITSELF = /^(deployment|crash-loop):/;

/** What every manager sees alike: of those one speaks. */
const JOINT = /^(load-balancer-gone|node-away):/;
const JOINT_RULES = HOST_KINDS.filter((kind) => kind !== 'disk');

/** What becomes of the conditions that held when the manager before this one ended. */
export class InheritedAlerts {
  readonly #alerts: Pick<AlertDispatcher, 'takeOver' | 'inherited' | 'resolve' | 'release'>;
  readonly #clock: Clock;
  readonly #cancels: (() => void)[] = [];

  constructor(alerts: Pick<AlertDispatcher, 'takeOver' | 'inherited' | 'resolve' | 'release'>, clock: Clock) {
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
    this.#cancels.push(this.#clock.after(GRACE_MS, () => this.#resolve((alert) => !endsByItself(alert))));
  }

  /** What managers of other nodes have left that are gone: @returns those that hold, and end after a while unless they show again. */
  async gather(): Promise<readonly Alert[]> {
    const gathered = await this.#alerts.takeOver();
    const keys = new Set(gathered.map(({ key }) => key));
    const isOver = (alert: Alert) => keys.has(alert.key) && !isKeyOfKind(alert.key, HOST_KINDS);
    if (keys.size > 0) this.#cancels.push(this.#clock.after(GRACE_MS, () => this.#resolve(isOver)));
    return gathered;
  }

  /** Leaves to the manager that speaks for all what is its to tell. */
  leaveJoint(): void {
    for (const { key } of this.#alerts.inherited().filter(isJoint)) this.#alerts.release(key);
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }

  #resolve(isOver: (alert: Alert) => boolean): void {
    for (const alert of this.#alerts.inherited().filter(isOver)) this.#alerts.resolve(alert.key);
  }
}

function isJoint({ key }: Alert): boolean {
  return JOINT.test(key) || isKeyOfKind(key, JOINT_RULES);
}

/** So does a look that finds a rule kept. */
function endsByItself({ key }: Alert): boolean {
  return ENDS_BY_ITSELF.test(key) || isKeyOfKind(key, HOST_KINDS);
}
