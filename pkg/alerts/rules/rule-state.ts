/** The shortest time without the condition that ends an alert, in milliseconds. */
const SHORTEST_END_MS = 10_000;
/** An alert about which nothing could be said for so long is over, in milliseconds: nobody uses the service any more, for one. */
const UNKNOWN_MS = 600_000;

/** What is known of one subject of a rule. Times are of a monotonic clock, in milliseconds. */
export interface RuleState {
  /** People are told. */
  readonly firing: boolean;
  /** Since when it is otherwise than `firing` says; null: it is not. */
  readonly turnedAt: number | null;
  /** When something could be said last. */
  readonly judgedAt: number;
}

export function quiet(now: number): RuleState {
  return { firing: false, turnedAt: null, judgedAt: now };
}

export function firing(now: number): RuleState {
  return { firing: true, turnedAt: null, judgedAt: now };
}

/**
 * The next state. It begins to fire when the condition has been true in every look for `forMs`, and ends when it has been
 * false in every look for as long. Without a verdict nothing begins or ends, but for what nothing is known of any more.
 * @param verdict - null: nothing can be said.
 * @returns `changedAt`: when that began by which `firing` has changed just now; null: it has not changed.
 */
export function nextState(
  state: RuleState,
  verdict: boolean | null,
  now: number,
  forMs: number,
): { readonly state: RuleState; readonly changedAt: number | null } {
  const { firing: was, judgedAt } = state;
  if (verdict === null) {
    const isForgotten = was && now - judgedAt >= UNKNOWN_MS;
    const unknown = { firing: was && !isForgotten, turnedAt: null, judgedAt };
    return { state: unknown, changedAt: isForgotten ? judgedAt : null };
  }
  if (verdict === was) return { state: { firing: was, turnedAt: null, judgedAt: now }, changedAt: null };
  const turnedAt = state.turnedAt ?? now;
  const isLong = now - turnedAt >= (was ? Math.max(forMs, SHORTEST_END_MS) : forMs);
  if (!isLong) return { state: { firing: was, turnedAt, judgedAt: now }, changedAt: null };
  return { state: { firing: verdict, turnedAt: null, judgedAt: now }, changedAt: turnedAt };
}
