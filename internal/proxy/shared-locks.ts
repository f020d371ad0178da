const NOBODY = 0;
/** How often a held lock is asked for before the thread waits. */
const SPINS = 200;
const WAIT_MS = 1;
/**
 * A lock is held for microseconds: whoever still holds it after so many waits is not there any more. Counted, because a
 * process that is stopped and continued finds that time has passed for nobody.
 */
const LOST_WAITS = 1_000;

/** Locks in memory that all threads share: each is a word, with the number of the thread that holds it, plus one. */
export class SharedLocks {
  readonly #words: Int32Array;
  readonly #me: number;

  /** @param thread - whose locks `lock` takes; 0 for the main thread. */
  constructor(words: Int32Array, thread: number) {
    this.#words = words;
    this.#me = thread + 1;
  }

  /** Nobody else passes here until `unlock`, which must follow without any wait. */
  lock(index: number): void {
    const words = this.#words;
    const me = this.#me;
    if (Atomics.compareExchange(words, index, NOBODY, me) === NOBODY) return;
    let holder = NOBODY;
    let waits = 0;
    for (let tries = 1; Atomics.compareExchange(words, index, NOBODY, me) !== NOBODY; tries += 1) {
      if (tries % SPINS !== 0) continue;
      const present = Atomics.load(words, index);
      if (present !== holder) {
        holder = present;
        waits = 0;
      }
      if (waits >= LOST_WAITS) Atomics.compareExchange(words, index, holder, NOBODY);
      else if (holder !== NOBODY) Atomics.wait(words, index, holder, WAIT_MS);
      waits += 1;
    }
  }

  unlock(index: number): void {
    Atomics.compareExchange(this.#words, index, this.#me, NOBODY); // it may have been taken from us, see `LOST_WAITS`
  }

  /** Frees what a thread that is gone has held. */
  takeOff(thread: number): void {
    for (let index = 0; index < this.#words.length; index += 1) {
      Atomics.compareExchange(this.#words, index, thread + 1, NOBODY);
    }
  }
}
