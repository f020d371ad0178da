import { SAMPLES_KEPT_MS, type TrafficSample } from '../../model/traffic-sample.ts';
import { sampleSince } from './sample-since.ts';
import { type UnderWay, underWay } from './under-way.ts';

/** What happened this long ago, in milliseconds, makes the figures of the present. */
const WINDOW_MS = 5_000;
/** How long what is new is kept apart, in milliseconds: longer than the window, as samples may be late. */
const NEWS_KEPT_MS = 60_000;

/** What one load balancer did in the window. */
export interface Recent {
  /** How long that took, in milliseconds; at least the window. */
  readonly spanMs: number;
  readonly gains: readonly TrafficSample[];
}

/** The samples of the last 15 minutes of all load balancers. */
export class TrafficBook {
  /** As they were read last, by load balancer and beginning. */
  readonly #samples = new Map<string, TrafficSample>();
  /** What each reading has brought on top of the one before, oldest first. */
  #news: TrafficSample[] = [];

  /** Takes in what was read, oldest first; what is known already changes nothing. @param now - epoch milliseconds. */
  add(samples: readonly TrafficSample[], now: number): void {
    for (const sample of samples) {
      const key = `${sample.proxyId} ${sample.from}`;
      const before = this.#samples.get(key);
      if (before !== undefined && before.until >= sample.until) continue;
      this.#samples.set(key, sample);
      this.#news.push(before === undefined ? sample : sampleSince(before, sample));
    }
    for (const [key, { until }] of this.#samples) if (until < now - SAMPLES_KEPT_MS) this.#samples.delete(key);
    this.#news = this.#news.filter(({ until }) => until >= now - NEWS_KEPT_MS);
  }

  samples(): Iterable<TrafficSample> {
    return this.#samples.values();
  }

  /**
   * What each load balancer did lately. One that has told nothing for `lagMs` has done nothing since.
   * @param now - epoch milliseconds.
   */
  recent(now: number, lagMs: number): Recent[] {
    const byProxy = Map.groupBy(this.#news, ({ proxyId }) => proxyId);
    return [...byProxy.values()].flatMap((news) => {
      const end = Math.max(now - lagMs, ...news.map(({ until }) => until));
      const gains = news.filter(({ until }) => until > end - WINDOW_MS);
      // One that has begun since then did nothing before: others did, whose place it takes.
      const begin = Math.min(end - WINDOW_MS, ...gains.map(({ from }) => from));
      return gains.length === 0 ? [] : [{ spanMs: end - begin, gains }];
    });
  }

  /** As load balancers have told last. @param alive - the ids of those that count: with the others, all has ended. */
  present(alive: ReadonlySet<string>): UnderWay {
    const last = new Map<string, TrafficSample>();
    for (const sample of this.#samples.values()) {
      const { proxyId, until } = sample;
      if (alive.has(proxyId) && until > (last.get(proxyId)?.until ?? 0)) last.set(proxyId, sample);
    }
    return underWay([...last.values()]);
  }
}
