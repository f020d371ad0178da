import type { Random } from '../../internal/simulation/random.ts';

export { type Random, randomFrom } from '../../internal/simulation/random.ts';

/** A whole number from 0 to below `limit`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** One of them; undefined when there is none. */
export function pick<T>(random: Random, all: readonly T[]): T | undefined {
  return all[below(random, all.length)];
}
