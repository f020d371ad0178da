/** The share of its weight that a new upstream begins with: none at all would show nothing. */
const LEAST_SHARE = 0.1;

/** What is known of an upstream that gets requests. */
export interface Admission {
  /** When it was admitted, in milliseconds of the monotonic clock. */
  readonly at: number;
  /** It was not in use before: started, or recovered. */
  readonly isNew: boolean;
  /** There were others to carry the load when it came. */
  readonly ramps: boolean;
}

/**
 * The share of its weight that a new upstream has: it grows in a straight line, as with HAProxy's `slowstart` and
 * Envoy's `slow_start_config`, `max(min_weight_percent, (t / window) ^ (1 / aggression))` with 10 % and an aggression of 1.
 * @param elapsedMs - since it was admitted.
 */
export function shareAfter(elapsedMs: number, slowStartMs: number): number {
  return Math.min(Math.max(elapsedMs / slowStartMs, LEAST_SHARE), 1);
}

/**
 * Admits a new one. It ramps only beside one that is not new: where all are, nobody can be spared.
 * @param others - those that are admitted already.
 */
export function admit(others: Iterable<Admission>, now: number, slowStartMs: number | null): Admission {
  let ramps = false;
  for (const { isNew, at } of others) {
    ramps = !isNew || now - at >= (slowStartMs ?? 0);
    if (ramps) break;
  }
  return { at: now, isNew: true, ramps };
}

/**
 * The share of its weight that each of a pool's admitted upstreams has now. While all of them ramp, because those that
 * did not are gone, they have all of it.
 * @param slowStartMs - null: there is no slow start.
 */
export function sharesOf(admitted: readonly Admission[], now: number, slowStartMs: number | null): number[] {
  const shares: number[] = [];
  let ramping = 0;
  for (const admission of admitted) {
    const ramps = isRamping(admission, now, slowStartMs);
    if (ramps) ramping += 1;
    shares.push(ramps ? shareAfter(now - admission.at, slowStartMs ?? 0) : 1);
  }
  return ramping === admitted.length ? shares.fill(1) : shares;
}

export function isRamping({ at, ramps }: Admission, now: number, slowStartMs: number | null): boolean {
  return ramps && slowStartMs !== null && now - at < slowStartMs;
}
