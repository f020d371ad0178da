/** Time and timers, so that tests can bring their own. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds from some fixed point; unlike `now`, never set back or forward. */
  monotonic(): number;
  /**
   * Calls `task` once, `delayMs` milliseconds from now, unless the returned function is called before.
   * @param holdsProcess - whether the process stays alive for it; by default it may end.
   */
  after(delayMs: number, task: () => void, holdsProcess?: boolean): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, task, holdsProcess = false) {
    const timer = setTimeout(task, delayMs);
    if (!holdsProcess) timer.unref();
    return () => clearTimeout(timer);
  },
};
