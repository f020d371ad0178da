import type { Answer } from './backend.ts';
import type { RecordedAttempt } from './log-line.ts';
import type { Random } from './random.ts';
import { serviceTimes, workersOf } from './workers.ts';

/** Attempts that began within so many milliseconds may stand for one another. */
const NEIGHBOURHOOD_MS = 2_500;
/** Not more than so many before, and as many after. */
const MOST_NEIGHBOURS = 25;
/** The nearest ones before and after are taken, however far they are. */
const LEAST_NEIGHBOURS = 3;
/** Who had a single attempt was there at least so long before and after it, in milliseconds. */
const LEAST_PRESENCE_MS = 100;

interface Known extends Answer {
  /** Milliseconds since the recording began. */
  readonly at: number;
}

interface WeightChange {
  readonly at: number;
  readonly weight: number;
}

/**
 * How an upstream behaved, as far as its recorded attempts tell. An attempt at some time is dealt with as one of those that were
 * made at about that time, so that a slow minute stays where it was.
 */
export class UpstreamModel {
  readonly id: string;
  /** Infinite: the load makes no difference. */
  readonly workers: number;
  readonly weights: readonly WeightChange[];
  readonly #known: readonly Known[];

  /**
   * @param attempts - in the order of their beginnings, at least one.
   * @param recordedSince - epoch milliseconds.
   */
  constructor(id: string, attempts: readonly RecordedAttempt[], recordedSince: number) {
    this.id = id;
    this.workers = workersOf(attempts);
    const times = serviceTimes(attempts, this.workers);
    this.#known = attempts.map(({ startedAt, tailMs, status, outcome }, n) => ({
      at: startedAt - recordedSince,
      serviceMs: times[n] ?? 0,
      tailMs,
      status,
      outcome,
    }));
    this.weights = attempts.flatMap(({ startedAt, weight }, n) =>
      attempts[n - 1]?.weight === weight ? [] : [{ at: startedAt - recordedSince, weight }],
    );
  }

  /**
   * From when on it was there, and up to when: from its first to its last attempt, and as long before and after as it might have
   * gone without one, which is twice its longest pause.
   */
  get presence(): { readonly from: number; readonly to: number } {
    const known = this.#known;
    const longest = known.reduce((most, { at }, n) => Math.max(most, at - (known[n - 1]?.at ?? at)), 0);
    const around = Math.max(2 * longest, LEAST_PRESENCE_MS);
    return { from: (known[0]?.at ?? 0) - around, to: (known.at(-1)?.at ?? 0) + around };
  }

  draw(now: number, random: Random): Answer {
    const known = this.#known;
    const middle = firstFrom(known, now);
    let from = middle;
    while (from > 0 && isNeighbour(known[from - 1], now, middle - from)) from -= 1;
    let to = middle;
    while (to < known.length && isNeighbour(known[to], now, to - middle)) to += 1;
    const drawn = known[from + Math.floor(random() * (to - from))];
    if (drawn === undefined) throw new RangeError(`nothing is known of ${this.id}`);
    return drawn;
  }
}

/** @param before - how many nearer ones there are on its side. */
function isNeighbour(known: Known | undefined, now: number, before: number): boolean {
  if (known === undefined || before >= MOST_NEIGHBOURS) return false;
  return before < LEAST_NEIGHBOURS || Math.abs(known.at - now) <= NEIGHBOURHOOD_MS;
}

/** Index of the first that is not before `at`. */
function firstFrom(known: readonly Known[], at: number): number {
  let [low, high] = [0, known.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((known[middle]?.at ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
