import type { Random } from '../../internal/simulation/random.ts';

export { type Random, randomFrom } from '../../internal/simulation/random.ts';

/** A whole number from 0 to below `limit`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** All of them, in another order. */
export function shuffled<T>(random: Random, all: readonly T[]): T[] {
  const places = all.map((one) => ({ one, place: random() }));
  return places.sort((a, b) => a.place - b.place).map(({ one }) => one);
}

/** One of them; undefined when there is none. */
export function pick<T>(random: Random, all: readonly T[]): T | undefined {
  return all[below(random, all.length)];
}
