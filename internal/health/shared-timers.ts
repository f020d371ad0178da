import type { Clock } from '../../pkg/clock/clock.ts';

interface Group {
  readonly tasks: Set<() => void>;
  readonly cancelTimer: () => void;
}

/** Tasks that are due at the same instant share one timer, and so one wake-up of the thread. */
export class SharedTimers {
  readonly #clock: Clock;
  readonly #groups = new Map<number, Group>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Calls `task`, which must not throw, once at that instant, or as soon as can be when it is over, unless the returned
   * function is called before.
   * @param at - in milliseconds of `clock.monotonic()`.
   */
  at(at: number, task: () => void): () => void {
    const group = this.#groups.get(at) ?? this.#open(at);
    group.tasks.add(task);
    return () => {
      if (group.tasks.delete(task) && group.tasks.size === 0) this.#close(at, group);
    };
  }

  #open(at: number): Group {
    const tasks = new Set<() => void>();
    const delayMs = Math.max(0, at - this.#clock.monotonic());
    const group = { tasks, cancelTimer: this.#clock.after(delayMs, () => this.#run(at, group)) };
    this.#groups.set(at, group);
    return group;
  }

  #run(at: number, group: Group): void {
    this.#close(at, group); // what a task adds for this instant is for another timer
    for (const task of group.tasks) {
      group.tasks.delete(task);
      task();
    }
  }

  #close(at: number, group: Group): void {
    group.cancelTimer();
    if (this.#groups.get(at) === group) this.#groups.delete(at);
  }
}
