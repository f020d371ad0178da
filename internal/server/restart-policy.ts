/** All times in milliseconds. */
export interface RestartPolicy {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** Share of the delay by which it may be longer or shorter: 0.25 is ±25 %. */
  readonly jitter: number;
  /** Ready for so long, an instance counts as healthy again: its earlier faults are forgotten. */
  readonly healthyAfterMs: number;
  /** So many faults within the window are a crash loop. */
  readonly crashLimit: number;
  readonly crashWindowMs: number;
  /** Between the tries of an instance in a crash loop. */
  readonly slowRetryMs: number;
}

export const DEFAULT_RESTART_POLICY: RestartPolicy = {
  firstDelayMs: 500,
  maxDelayMs: 30_000,
  jitter: 0.25,
  healthyAfterMs: 60_000,
  crashLimit: 5,
  crashWindowMs: 120_000,
  slowRetryMs: 300_000,
};

/** What is remembered of an instance's faults: unexpected exits and starts that failed. */
export interface FaultHistory {
  /** Faults since the instance was last healthy. */
  readonly consecutive: number;
  /** Epoch milliseconds of the faults within the window. */
  readonly recent: readonly number[];
  /** Set by a crash loop, cleared only by being healthy again: slow tries must not count as the end of the loop. */
  readonly looping: boolean;
}

export const NO_FAULTS: FaultHistory = { consecutive: 0, recent: [], looping: false };

/** @param at - epoch milliseconds of the fault. */
export function afterFault(history: FaultHistory, at: number, policy: RestartPolicy): FaultHistory {
  const recent = [...history.recent, at].filter((time) => time > at - policy.crashWindowMs);
  return {
    consecutive: history.consecutive + 1,
    recent,
    looping: history.looping || recent.length >= policy.crashLimit,
  };
}

/**
 * How long to wait before the next try, in milliseconds: doubled with every fault in a row, up to the maximum, with jitter
 * so that instances that fell together do not rise together. A crash loop is tried at the slow pace.
 * @param random - in [0, 1).
 */
export function restartDelay(history: FaultHistory, policy: RestartPolicy, random: () => number): number {
  const doubled = policy.firstDelayMs * 2 ** Math.max(0, history.consecutive - 1);
  const delay = history.looping ? policy.slowRetryMs : Math.min(policy.maxDelayMs, doubled);
  return delay * (1 + policy.jitter * (2 * random() - 1));
}
