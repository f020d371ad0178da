import type { Clock } from '../../pkg/clock/clock.ts';
import { History } from './history.ts';
import { BUCKETS, quantile, total } from '../model/latency-buckets.ts';
import { since } from './latency-histograms.ts';
import type { Pool } from './pool.ts';
import type { Upstream } from './upstream.ts';

/** Between two notes of what the upstreams have done so far, in milliseconds: by so much any look back may reach too far. */
const NOTE_MS = 10_000;
/** How far back anybody may look in any case, in milliseconds. */
const KEEP_MS = 60_000;
const NOTHING_YET: Done = { latencies: new Uint32Array(BUCKETS), requests: 0, failures: 0 };

/** What an upstream has done, since it is there or within some time. */
export interface Done {
  /** See `LatencyHistograms`. */
  readonly latencies: Uint32Array;
  /** Attempts that are over. */
  readonly requests: number;
  /** Those of them that failed. */
  readonly failures: number;
}

/** Latencies of some time, in milliseconds; null when there was no answer. */
interface Latencies {
  readonly answers: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** What upstreams did lately, over all threads. Of the main thread alone. */
export class RecentTraffic {
  readonly #clock: Clock;
  readonly #pools: () => Iterable<Pool>;
  readonly #histories = new WeakMap<Upstream, History<Done>>();
  #keepMs = KEEP_MS;
  #cancelTimer: (() => void) | null = null;

  constructor(clock: Clock, pools: () => Iterable<Pool>) {
    this.#clock = clock;
    this.#pools = pools;
  }

  start(): void {
    this.#note();
    this.#cancelTimer = this.#clock.after(NOTE_MS, () => this.start());
  }

  stop(): void {
    this.#cancelTimer?.();
  }

  /** From now on somebody looks back as far as that, in milliseconds. */
  keep(ms: number): void {
    this.#keepMs = Math.max(ms, KEEP_MS);
  }

  /** What it has done within the last `ms` milliseconds, and up to ten seconds more; of no longer time than is kept. */
  lately(upstream: Upstream, ms: number): Done {
    const before = this.#histories.get(upstream)?.asOf(this.#clock.monotonic() - ms) ?? NOTHING_YET;
    const now = doneBy(upstream);
    return {
      latencies: since(before.latencies, now.latencies),
      requests: Math.max(0, now.requests - before.requests),
      failures: Math.max(0, now.failures - before.failures),
    };
  }

  #note(): void {
    const now = this.#clock.monotonic();
    for (const pool of this.#pools()) {
      for (const upstream of pool.upstreams()) {
        this.#historyOf(upstream, now).add(now, doneBy(upstream), this.#keepMs);
      }
    }
  }

  #historyOf(upstream: Upstream, now: number): History<Done> {
    const known = this.#histories.get(upstream);
    if (known !== undefined) return known;
    const history = new History<Done>();
    history.add(now, NOTHING_YET, this.#keepMs); // what it has done in its first seconds is news, too
    this.#histories.set(upstream, history);
    return history;
  }
}

export function latenciesOf(counts: Uint32Array): Latencies {
  const answers = total(counts);
  const at = (q: number) => (answers === 0 ? null : Number(quantile(counts, q).toPrecision(3)));
  return { answers, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function doneBy(upstream: Upstream): Done {
  const { latencies, picks, inFlight, failures } = upstream;
  return { latencies, requests: picks - inFlight, failures };
}
