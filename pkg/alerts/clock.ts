/** Time and timers, so that tests can bring their own. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds from some fixed point; unlike `now`, never set back or forward. */
  monotonic(): number;
  /**
   * Calls back once after `delayMs`, unless the returned function is called before.
   * @param holdsProcess - whether the process stays alive for it; by default it may end.
   */
  schedule(callback: () => void, delayMs: number, holdsProcess?: boolean): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(callback, delayMs, holdsProcess = false) {
    const timer = setTimeout(callback, delayMs);
    if (!holdsProcess) timer.unref();
    return () => clearTimeout(timer);
  },
};
