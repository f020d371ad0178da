/** Ticks come every second; so long after the last one what is shown is stale. Milliseconds. */
const STALE_MS = 3_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

export type Connection = 'connecting' | 'open' | 'lost';

/** How far what is shown can be trusted. */
export interface Freshness {
  readonly kind: 'loading' | 'fresh' | 'stale';
  /** Milliseconds since the last message; 0 before the first. */
  readonly ageMs: number;
}

/** @param heardAt - when the last message came; null: none did yet. Both times are of the same clock, in milliseconds. */
export function freshnessAt(now: number, heardAt: number | null): Freshness {
  if (heardAt === null) return { kind: 'loading', ageMs: 0 };
  const ageMs = Math.max(0, now - heardAt);
  return { kind: ageMs > STALE_MS ? 'stale' : 'fresh', ageMs };
}

/**
 * Milliseconds until the next attempt: doubles from half a second to ten, of which a random part of up to a half is
 * taken off, so that many pages do not come back at the same moment.
 * @param failures - in a row, from 1.
 * @param random - 0 to 1.
 */
export function waitAfter(failures: number, random: number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
  return full * (1 - random / 2);
}
