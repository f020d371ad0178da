/** From one time of the clock to another, in milliseconds; the end is no part of it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a client waits for. */
export interface Figures {
  readonly requests: number;
  /**
   * Milliseconds to the response head within which so many of all requests were answered; infinite when not so many were. One
   * that failed was never answered: otherwise an algorithm would be the better the more it fails at once.
   */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Of those that were answered, in milliseconds. */
  readonly mean: number;
  /** Share of the requests, 0 to 1. */
  readonly failed: number;
}

const SECOND_MS = 1_000;

/** What became of the requests and attempts of one run, simulated or recorded. */
export class Ledger {
  readonly #startedAt: number[] = [];
  readonly #durations: number[] = [];
  readonly #pickedAt: number[] = [];
  readonly #picks: string[] = [];

  /** @param durationMs - to the response head; infinite: the request failed. */
  finished(startedAt: number, durationMs: number): void {
    this.#startedAt.push(startedAt);
    this.#durations.push(durationMs);
  }

  /** An attempt began. */
  picked(upstream: string, at: number): void {
    this.#pickedAt.push(at);
    this.#picks.push(upstream);
  }

  /** Of the requests that came within the span. */
  figures({ from, to }: Span): Figures {
    const durations = this.#durations.filter((_, n) => isWithin(this.#startedAt[n], from, to));
    const sorted = Float64Array.from(durations).toSorted();
    const answered = sorted.filter(Number.isFinite);
    const percentile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
    return {
      requests: sorted.length,
      p50: percentile(0.5),
      p95: percentile(0.95),
      p99: percentile(0.99),
      mean: answered.reduce((sum, each) => sum + each, 0) / answered.length,
      failed: (sorted.length - answered.length) / sorted.length,
    };
  }

  /** The part of the attempts within the span that each upstream got, 0 to 1. */
  shares({ from, to }: Span): Map<string, number> {
    const counts = new Map<string, number>();
    let all = 0;
    for (const [n, upstream] of this.#picks.entries()) {
      if (!isWithin(this.#pickedAt[n], from, to)) continue;
      counts.set(upstream, (counts.get(upstream) ?? 0) + 1);
      all += 1;
    }
    return new Map(Array.from(counts, ([upstream, count]) => [upstream, count / all]));
  }

  /** The upstream's share of the attempts in each second of the span. */
  sharesBySecond(upstream: string, { from, to }: Span): number[] {
    const seconds = Math.ceil((to - from) / SECOND_MS);
    const [own, all] = [new Float64Array(seconds), new Float64Array(seconds)];
    for (const [n, picked] of this.#picks.entries()) {
      const at = this.#pickedAt[n] ?? Number.NaN;
      if (!isWithin(at, from, to)) continue;
      const second = Math.floor((at - from) / SECOND_MS);
      all[second] = (all[second] ?? 0) + 1;
      if (picked === upstream) own[second] = (own[second] ?? 0) + 1;
    }
    return Array.from(own, (count, second) => count / Math.max(all[second] ?? 0, 1));
  }
}

function isWithin(at: number | undefined, from: number, to: number): boolean {
  return at !== undefined && at >= from && at < to;
}
