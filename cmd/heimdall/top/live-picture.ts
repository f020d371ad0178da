import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../../internal/client/client.ts';
import { HeimdallConnectionError } from '../../../internal/client/errors.ts';
import { after } from '../../../internal/model/live-after.ts';
import type { LiveState } from '../../../internal/model/live.ts';

const RETRY_MS = 1_000;
/** Ticks come every second. */
const STALE_MS = 4_000;

/** What the manager tells, kept up to date; what was known last stays when it cannot be reached. */
export class LivePicture {
  readonly #client: Pick<Client, 'live'>;
  readonly #onChange: () => void;
  readonly #now: () => number;
  #state: LiveState | null = null;
  #heardAt = 0;

  /** @param now - milliseconds that only grow. */
  constructor(client: Pick<Client, 'live'>, onChange: () => void, now: () => number = () => performance.now()) {
    this.#client = client;
    this.#onChange = onChange;
    this.#now = now;
  }

  /** Null before the first message. */
  get state(): LiveState | null {
    return this.#state;
  }

  /** Why the picture is an old one; null: it is not. */
  get stale(): string | null {
    const silence = this.#now() - this.#heardAt;
    return silence < STALE_MS ? null : `no news for ${Math.round(silence / 1_000)} s`;
  }

  /** Until the signal. @throws when the manager cannot be reached at the beginning, or says no. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (this.#state === null || !(error instanceof HeimdallConnectionError)) throw error;
      }
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const { event, data } of this.#client.live({ signal })) {
      this.#heardAt = this.#now();
      if (event === 'state') this.#state = data;
      if (event === 'tick' && this.#state !== null) this.#state = after(this.#state, data);
      if (event !== 'history') this.#onChange();
    }
  }
}
