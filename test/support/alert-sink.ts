import type { Alert, FoldingSink } from '../../pkg/alerts/alert.ts';

/** Keeps what it is told, in the order of the calls: `! what` is raised, `ok key` resolved, `left key` released, `part key` retracted. */
export class RecordingSink implements FoldingSink {
  readonly told: string[] = [];
  readonly raised: Alert[] = [];
  readonly #what: (alert: Alert) => string;

  /** @param what - how an alert that is raised is told. */
  constructor(what: (alert: Alert) => string = ({ key }) => key) {
    this.#what = what;
  }

  raise(alert: Alert): void {
    this.raised.push(alert);
    this.told.push(`! ${this.#what(alert)}`);
  }

  resolve(key: string): void {
    this.told.push(`ok ${key}`);
  }

  retract(key: string): void {
    this.told.push(`part ${key}`);
  }

  release(key: string): void {
    this.told.push(`left ${key}`);
  }

  /** What was told since the last call. */
  take(): string[] {
    return this.told.splice(0);
  }
}
