import type { Trail } from './trail.ts';

/** The last so many trails, oldest first. */
export class TrailRing {
  readonly #trails: Trail[] = [];
  readonly #size: number;
  /** Where the next one goes, once it is full: the place of the oldest. */
  #next = 0;

  /** @param size - at least 1. */
  constructor(size: number) {
    this.#size = size;
  }

  /** @returns the one that had to go. */
  add(trail: Trail): Trail | undefined {
    const gone = this.#trails[this.#next];
    this.#trails[this.#next] = trail;
    this.#next = this.#next + 1 === this.#size ? 0 : this.#next + 1;
    return gone;
  }

  /** When the oldest came, in milliseconds of the engine's clock; infinite when there is none. */
  get since(): number {
    const oldest = this.#trails[this.#next] ?? this.#trails[0];
    return oldest?.startedAt ?? Number.POSITIVE_INFINITY;
  }
}
