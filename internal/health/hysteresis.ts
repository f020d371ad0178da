export interface Thresholds {
  /** Passes in a row that bring a down instance up. */
  readonly rise: number;
  /** Failures in a row that take an up instance down. */
  readonly fall: number;
}

/**
 * One counter carries the hysteresis: `[0, rise)` is down, `[rise, rise + fall)` is up. A pass adds one and jumps to
 * the top from `rise` on; a failure takes one off while that stays up, and otherwise falls to 0. So only results in a
 * row count, in both directions (HAProxy, `src/check.c`).
 */
export function nextHealth(health: number, passed: boolean, { rise, fall }: Thresholds): number {
  if (passed) return health + 1 < rise ? health + 1 : rise + fall - 1;
  return health > rise ? health - 1 : 0;
}

export function isUp(health: number, { rise }: Thresholds): boolean {
  return health >= rise;
}

/** At the very bottom or the very top: no results in a row have begun to turn the state. */
export function isSettled(health: number, { rise, fall }: Thresholds): boolean {
  return health === 0 || health === rise + fall - 1;
}

/** Where an instance starts that was never probed: the first pass admits it, the first failure takes it down. */
export function undecided({ rise }: Thresholds): number {
  return rise - 1;
}

export function fullyUp({ rise, fall }: Thresholds): number {
  return rise + fall - 1;
}

/** The counter after a failed connect of a real request: it needs no second witness, and earlier passes are void. */
export function markDown(): number {
  return 0;
}
