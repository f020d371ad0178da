/** Time as the health code sees it; tests bring their own. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /**
   * Calls `task` once, `delayMs` milliseconds from now; the returned function takes that back.
   * Such a timer alone does not keep the process alive.
   */
  after(delayMs: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
