import type { LiveHistory, LiveState, Traffic } from '../../model/live.ts';
import { SAMPLES_KEPT_MS } from '../../model/traffic-sample.ts';
import { isAlive, isRegistryAway, type ProxyRecord, type RegistryWriter } from '../../registry/registry.ts';
import { historyOf } from './live-history.ts';
import { TrafficBook } from './traffic-book.ts';
import { TrafficSums } from './traffic-sums.ts';
import type { UsageHistory } from './usage-history.ts';

/** For how long load balancers are told at once that somebody watches, in milliseconds, and how long before the end it is told again. */
const WATCHED_MS = 15_000;
const TELL_AGAIN_MS = 5_000;
/** How far back somebody looks who does not stay, in milliseconds. */
const GLANCE_MS = 30_000;
/** So much later than they end samples are there at the latest, in milliseconds. */
const LATE_MS = 1_000;
/** A load balancer that has told nothing for so long has done nothing, in milliseconds: one that is watched, and another. */
const WATCHED_LAG_MS = 2_500;
const UNWATCHED_LAG_MS = 7_000;
/** Until then every load balancer has heard that it is watched, in milliseconds. */
const HEARD_MS = 3_000;

export interface LiveTrafficOptions {
  readonly registry: Pick<RegistryWriter, 'samples' | 'noteWatched'>;
  readonly usage: UsageHistory;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** The figures of the present. */
export interface TrafficNow {
  ofService(name: string): Traffic & { readonly waiting: number };
  ofInstance(id: string): Traffic;
}

/** What load balancers tell of requests, read as often as somebody wants to know. */
export class LiveTraffic {
  readonly #options: LiveTrafficOptions;
  /** Null: nobody watches. */
  #book: TrafficBook | null = null;
  #watchedSince = 0;
  #toldUntil = 0;
  /** When samples were read last; 0: not since somebody watches. */
  #readAt = 0;
  #proxies: readonly ProxyRecord[] = [];

  constructor(options: LiveTrafficOptions) {
    this.#options = options;
  }

  /** Somebody watches: to be called before each reading. */
  async watch(): Promise<void> {
    const { registry, clock } = this.#options;
    const now = clock();
    if (this.#book === null) {
      this.#book = new TrafficBook();
      this.#watchedSince = now;
      this.#readAt = 0;
    }
    const left = this.#toldUntil - now;
    if (left > TELL_AGAIN_MS && left <= WATCHED_MS) return;
    try {
      await registry.noteWatched(now + WATCHED_MS);
      this.#toldUntil = now + WATCHED_MS;
    } catch (error) {
      if (!isRegistryAway(error)) throw error;
    }
  }

  /** Nobody watches any more. */
  rest(): void {
    this.#book = null;
  }

  /** @throws {HeimdallError} REGISTRY_UNAVAILABLE, REGISTRY_BROKEN. */
  async read(proxies: readonly ProxyRecord[]): Promise<TrafficNow> {
    const now = this.#options.clock();
    const book = this.#book ?? new TrafficBook();
    await this.#readInto(book, now);
    this.#proxies = proxies;
    const isHeard = this.#book !== null && now - this.#watchedSince > HEARD_MS;
    const sums = new TrafficSums();
    for (const { spanMs, gains } of book.recent(now, isHeard ? WATCHED_LAG_MS : UNWATCHED_LAG_MS)) {
      for (const gain of gains) sums.add(gain, spanMs);
    }
    const alive = new Set(proxies.filter((proxy) => isAlive(proxy, now)).map(({ id }) => id));
    const { waiting, onService, onInstance } = book.present(alive);
    return {
      ofService: (name) => ({ ...sums.ofService(name, onService.get(name) ?? 0), waiting: waiting.get(name) ?? 0 }),
      ofInstance: (id) => sums.ofInstance(id, onInstance.get(id) ?? 0),
    };
  }

  /** Of what there is now, as it was read last. */
  history(state: Pick<LiveState, 'services' | 'instances'>): LiveHistory {
    const { usage, clock } = this.#options;
    const samples = [...(this.#book?.samples() ?? [])];
    const knownSince = Math.min(...samples.map(({ from }) => from), ...this.#proxies.map(({ startedAt }) => startedAt));
    return historyOf({ samples, usage, state, knownSince }, clock());
  }

  async #readInto(book: TrafficBook, now: number): Promise<void> {
    const isWatched = book === this.#book;
    const since = this.#readAt === 0 ? now - SAMPLES_KEPT_MS : Math.min(this.#readAt, now) - LATE_MS;
    book.add(await this.#options.registry.samples(isWatched ? since : now - GLANCE_MS), now);
    if (isWatched) this.#readAt = now;
  }
}
