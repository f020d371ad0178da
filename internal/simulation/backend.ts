import type { Clock } from '../../pkg/clock/clock.ts';
import type { Outcome } from '../proxy/outcome.ts';

/** How a backend deals with one attempt. All times in milliseconds. */
export interface Answer {
  /** From the moment when a worker takes it up to the response head, or to the failure. */
  readonly serviceMs: number;
  /** From there to the end of the response: no worker is needed for that, but it is in flight. */
  readonly tailMs: number;
  /** Null: it failed before there was a head. */
  readonly status: number | null;
  readonly outcome: Outcome;
}

/** An application with so many workers and a queue before them, first come, first served. */
export class Backend {
  readonly #clock: Clock;
  readonly #workers: number;
  readonly #draw: (now: number) => Answer;
  readonly #queue: ((answer: Answer) => void)[] = [];
  #busy = 0;

  /**
   * @param workers - attempts that it works on at the same time; infinite: none ever waits.
   * @param draw - how it deals with an attempt that is taken up at that time of the clock.
   */
  constructor(clock: Clock, workers: number, draw: (now: number) => Answer) {
    this.#clock = clock;
    this.#workers = workers;
    this.#draw = draw;
  }

  /** @param answered - called at the response head, or the failure. */
  take(answered: (answer: Answer) => void): void {
    if (this.#busy < this.#workers) this.#work(answered);
    else this.#queue.push(answered);
  }

  #work(answered: (answer: Answer) => void): void {
    this.#busy += 1;
    const answer = this.#draw(this.#clock.monotonic());
    this.#clock.after(answer.serviceMs, () => {
      this.#busy -= 1;
      const next = this.#queue.shift();
      if (next !== undefined) this.#work(next);
      answered(answer);
    });
  }
}
