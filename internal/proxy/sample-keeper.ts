import type { Logger } from '../../pkg/logger/logger.ts';
import { spanOf } from '../model/traffic-sample.ts';
import type { ProxyRegistry } from '../registry/registry.ts';
import type { Fleet } from './fleet.ts';
import { TrafficSampler } from './traffic-sampler.ts';

/** Between two savings while nobody watches, in milliseconds; while somebody does, every heartbeat saves. */
const UNWATCHED_MS = 5_000;

export interface SampleKeeperOptions {
  readonly registry: Pick<ProxyRegistry, 'proxyId' | 'saveSample' | 'watchedUntil'>;
  readonly fleet: Pick<Fleet, 'pools'>;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Keeps in the registry what happened lately, for whoever wants to see it. Where nothing happens, nothing is written. */
export class SampleKeeper {
  readonly #options: SampleKeeperOptions;
  readonly #sampler: TrafficSampler;
  /** When the present sample began; epoch milliseconds, as the next. */
  #from: number;
  #lookedAt: number;
  /** Something that the registry has not taken yet. */
  #isUnsaved = false;
  #isBusy = false;

  constructor(options: SampleKeeperOptions) {
    this.#options = options;
    this.#sampler = new TrafficSampler(() => options.fleet.pools());
    this.#from = options.now();
    this.#lookedAt = this.#from;
  }

  /** To be called with every heartbeat. Never rejects: what cannot be written is tried with a later one. */
  async beat(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      const now = this.#options.now();
      const isWatched = (await this.#options.registry.watchedUntil()) > now;
      const isOver = spanOf(now) !== spanOf(this.#from);
      if (isWatched || isOver || Math.abs(now - this.#lookedAt) >= UNWATCHED_MS) await this.#save(now, isWatched);
    } catch (error) {
      this.#options.log.debug({ err: error }, 'no sample of the traffic was kept');
    } finally {
      this.#isBusy = false;
    }
  }

  /** What is left to tell at the end. Never rejects. */
  async finish(): Promise<void> {
    await this.#save(this.#options.now(), false).catch((error: unknown) => {
      this.#options.log.debug({ err: error }, 'the last sample of the traffic was not kept');
    });
  }

  async #save(now: number, isWatched: boolean): Promise<void> {
    const { registry } = this.#options;
    this.#lookedAt = now;
    if (now < this.#from) this.#begin(now); // the clock was set back
    const isNews = this.#sampler.look();
    this.#isUnsaved ||= isNews || (isWatched && !this.#sampler.isEmpty); // that nothing happens any more is news, too
    if (this.#sampler.isEmpty) this.#from = now;
    const sample = { proxyId: registry.proxyId, from: this.#from, until: now, ...this.#sampler.sample() };
    const isWanted = this.#isUnsaved && !this.#sampler.isEmpty;
    if (isWanted) {
      await registry.saveSample(sample); // one that is not taken goes on beyond its span
      this.#isUnsaved = false;
    }
    if (spanOf(now) !== spanOf(this.#from)) this.#begin(now);
  }

  #begin(now: number): void {
    this.#sampler.begin();
    this.#from = now;
  }
}
