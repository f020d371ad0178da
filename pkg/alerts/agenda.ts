import type { Clock } from '../clock/clock.ts';

/** Keys with something to tell, each with its time, and one timer for the first of them. Times are of the monotonic clock. */
export class Agenda {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  readonly #times = new Map<string, number>();
  #timer: { readonly dueAt: number; readonly cancel: () => void } | null = null;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  has(key: string): boolean {
    return this.#times.has(key);
  }

  keys(): string[] {
    return [...this.#times.keys()];
  }

  set(key: string, dueAt: number): void {
    this.#times.set(key, dueAt);
    this.#arm(dueAt);
  }

  delete(key: string): void {
    this.#times.delete(key);
  }

  /** Takes out what is due until then. */
  take(until: number): string[] {
    const due = [...this.#times].filter(([, dueAt]) => dueAt <= until).map(([key]) => key);
    for (const key of due) this.#times.delete(key);
    const next = Math.min(...this.#times.values());
    if (Number.isFinite(next)) this.#arm(next);
    return due;
  }

  close(): void {
    this.#timer?.cancel();
  }

  #arm(dueAt: number): void {
    if (this.#timer && this.#timer.dueAt <= dueAt) return;
    this.#timer?.cancel();
    const wake = () => {
      this.#timer = null;
      this.#onDue();
    };
    this.#timer = { dueAt, cancel: this.#clock.after(Math.max(0, dueAt - this.#clock.monotonic()), wake) };
  }
}
