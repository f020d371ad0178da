import type { Clock } from '../../pkg/clock/clock.ts';

/** What the calendar shows when a simulation begins, in epoch milliseconds. */
const EPOCH = Date.UTC(2026, 0, 1);

interface Event {
  readonly at: number;
  /** Of two for the same time, the one that was ordered first comes first. */
  readonly sequence: number;
  task: (() => void) | null;
}

/** A clock whose time goes on from one event to the next, as fast as they can be worked off: a binary heap of what is to come. */
export class VirtualClock implements Clock {
  readonly #events: Event[] = [];
  #elapsed = 0;
  #sequence = 0;

  now(): number {
    return EPOCH + this.#elapsed;
  }

  /** Milliseconds since the simulation began. */
  monotonic(): number {
    return this.#elapsed;
  }

  after(delayMs: number, task: () => void): () => void {
    this.#sequence += 1;
    const event: Event = { at: this.#elapsed + Math.max(delayMs, 0), sequence: this.#sequence, task };
    this.#push(event);
    return () => {
      event.task = null;
    };
  }

  /** Calls `task` when so many milliseconds have passed since the beginning. */
  at(elapsedMs: number, task: () => void): void {
    this.after(elapsedMs - this.#elapsed, task);
  }

  /** Works off everything, and what comes of it. */
  run(): void {
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      this.#elapsed = event.at;
      event.task?.();
    }
  }

  #push(event: Event): void {
    const events = this.#events;
    let place = events.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = events[parent];
      if (above === undefined || isBefore(above, event)) break;
      events[place] = above;
      place = parent;
    }
    events[place] = event;
  }

  #pop(): Event | undefined {
    const events = this.#events;
    const [first] = events;
    const last = events.pop();
    if (last === undefined || last === first) return first;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const [one, other] = [events[left], events[left + 1]];
      if (one === undefined) break;
      const isOther = other !== undefined && isBefore(other, one);
      const child = isOther ? other : one;
      if (isBefore(last, child)) break;
      events[place] = child;
      place = isOther ? left + 1 : left;
    }
    events[place] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
