/** An instance as a rollout sees it. */
export interface Member {
  readonly id: string;
  /** Whether it runs the release that is wanted. */
  readonly isWanted: boolean;
  /**
   * `available`: takes requests, and has proved itself. `warming`: ready, but not yet for long enough. `leaving`: is drained
   * and stopped. `broken`: ended, or never got ready.
   */
  readonly condition: 'starting' | 'warming' | 'available' | 'broken' | 'leaving';
}

export interface RolloutLimits {
  /** So many instances more than desired may be there. */
  readonly maxSurge: number;
  /** So many instances fewer than desired may be available. */
  readonly maxUnavailable: number;
  /** Whether the wanted release is one that has run before: it need not prove itself, and what is useless goes at once. */
  readonly goesBack: boolean;
}

export interface RolloutStep {
  /** How many instances of the wanted release to start. */
  readonly start: number;
  /** The others that may go now. */
  readonly retire: readonly string[];
  readonly isDone: boolean;
}

/**
 * What to do next so that only instances of the wanted release remain, and at no time fewer than allowed are available.
 * It looks at what is there and nothing else, so it goes on after any interruption. As in a Kubernetes rolling update, both
 * limits count from the desired number.
 */
export function nextStep(members: readonly Member[], desired: number, limits: RolloutLimits): RolloutStep {
  const present = members.filter(({ condition }) => condition !== 'leaving');
  const wanted = present.filter(({ isWanted }) => isWanted);
  const others = present.filter(({ isWanted }) => !isWanted);
  const available = wanted.filter(isAvailable).length;

  const room = desired + limits.maxSurge - members.length;
  const start = Math.max(0, Math.min(desired - wanted.length, room));

  const spare = available + others.filter(isAvailable).length - (desired - limits.maxUnavailable);
  // Old instances that serve nobody are left alone until a new one has proved itself, or they are in its way.
  const proved = available > 0 || desired === 0 || limits.maxUnavailable > 0 || limits.goesBack;
  const useless = others.filter((member) => !isAvailable(member));
  const needed = wanted.length === 0 ? 1 : 0; // with no room for the first new one, nothing would ever change
  const inTheWay = Math.max(0, needed - room - (members.length - present.length));
  const gone = useless.slice(0, proved ? useless.length : inTheWay);
  const useful = others.filter(isAvailable).slice(0, Math.max(0, spare));
  const retire = [...gone, ...useful].map(({ id }) => id);

  // Going back, an instance that does not run is left to its supervisor.
  const settled = limits.goesBack ? wanted.filter(({ condition }) => condition !== 'starting').length : available;
  return { start, retire, isDone: settled >= desired && members.every(({ isWanted }) => isWanted) };
}

/** Of an instance that is on its way out it does not matter how long it has been ready. */
function isAvailable({ condition, isWanted }: Member): boolean {
  return condition === 'available' || (condition === 'warming' && !isWanted);
}
