import type { Clock } from '../../pkg/clock/clock.ts';
import { exists } from './proc.ts';
import { startTimeOf } from './process-identity.ts';
import type { Exit } from './running-process.ts';

const POLL_MS = 100;
/** Every so many looks it is made sure that it is no zombie, and still the same process: that reads a file, or runs `ps`. */
const LOOKS_PER_CHECK = 30;

interface Watched {
  readonly pid: number;
  readonly startTime: string;
  /** Of the next check of its identity: not all are due at once. */
  lookOfCheck: number;
  readonly tell: (exit: Exit) => void;
}

/** Notices the end of processes that are no children of ours: only a parent is told, all others have to look. */
export class ExitWatch {
  readonly #clock: Clock;
  readonly #startTimeOf: (pid: number) => Promise<string | null>;
  readonly #watched = new Set<Watched>();
  #cancelTimer: (() => void) | null = null;
  #looks = 0;

  constructor(clock: Clock, ofProcess = startTimeOf) {
    this.#clock = clock;
    this.#startTimeOf = ofProcess;
  }

  /**
   * @param startTime - of the process that is meant, see `startTimeOf`.
   * @param tell - called once, unless the returned function is called before: within about a tenth of a second after the end, or
   * three seconds where it stays as a zombie that nobody waits for, or somebody else has got the pid.
   */
  watch(pid: number, startTime: string, tell: (exit: Exit) => void): () => void {
    const lookOfCheck = this.#looks + 1 + (pid % LOOKS_PER_CHECK);
    const watched = { pid, startTime, lookOfCheck, tell };
    this.#watched.add(watched);
    this.#wait();
    return () => this.#forget(watched);
  }

  #wait(): void {
    this.#cancelTimer ??= this.#clock.after(POLL_MS, () => this.#look(), true);
  }

  #look(): void {
    this.#cancelTimer = null;
    this.#looks += 1;
    for (const watched of this.#watched) {
      if (!exists(watched.pid)) this.#gone(watched);
      else if (watched.lookOfCheck === this.#looks) void this.#check(watched);
    }
    if (this.#watched.size > 0) this.#wait();
  }

  async #check(watched: Watched): Promise<void> {
    watched.lookOfCheck += LOOKS_PER_CHECK;
    const startTime = await this.#startTimeOf(watched.pid).catch(() => watched.startTime); // the next check may tell
    if (startTime !== watched.startTime) this.#gone(watched);
  }

  #gone(watched: Watched): void {
    if (!this.#watched.has(watched)) return;
    this.#forget(watched);
    watched.tell({ code: null, signal: null, at: this.#clock.now() });
  }

  #forget(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}
