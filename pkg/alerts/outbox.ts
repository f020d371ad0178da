import type { Clock } from '../clock/clock.ts';
import type { AlertControls } from './book.ts';
import type { AlertLog } from './channel.ts';
import type { AlertStore, Delivery, Inheritance, Outage } from './store.ts';

/** How long after a failure the store is tried again when nothing else is to be saved, in milliseconds. */
const RETRY_MS = 5_000;
/** Outages that are kept in memory while the store is away; beyond it the oldest are left out of the history. */
const MOST_UNSAVED = 1_000;
const NOTHING: Inheritance = { outages: [], deliveries: [] };

interface OutboxContext {
  readonly clock: Clock;
  readonly log: AlertLog;
}

/**
 * What is to be stored, in front of a store that may be away: what could not be saved is saved with what comes next, or
 * after a while. Whatever is collected within one tick is saved together or not at all. Never rejects.
 */
export class Outbox {
  readonly #store: AlertStore | null;
  readonly #context: OutboxContext;
  #outages = new Map<string, Outage>();
  #released = new Set<string>();
  #made = new Map<string, Delivery>();
  #settled = new Map<string, Delivery>();
  #saving: Promise<void> | null = null;
  #failing = false;
  #cancelRetry: (() => void) | null = null;
  #closed = false;
  #controls: AlertControls = { silences: [], acknowledged: new Set() };

  /** @param store - null: nothing survives the process. */
  constructor(store: AlertStore | null, context: OutboxContext) {
    this.#store = store;
    this.#context = context;
  }

  /** Whether what is not delivered when the process ends waits for the next one. */
  get keeps(): boolean {
    return this.#store !== null && !this.#failing;
  }

  record(outage: Outage): void {
    if (this.#store === null) return;
    this.#outages.delete(outage.id); // the one that changed last comes last
    this.#outages.set(outage.id, outage);
    const [oldest] = this.#outages.keys();
    if (this.#outages.size > MOST_UNSAVED && oldest !== undefined) this.#outages.delete(oldest);
    void this.saved();
  }

  release(outageId: string): void {
    if (this.#store === null) return;
    this.#released.add(outageId);
    void this.saved();
  }

  post(deliveries: readonly Delivery[]): void {
    if (this.#store === null) return;
    for (const delivery of deliveries) this.#made.set(idOf(delivery), delivery);
    void this.saved();
  }

  /** Delivered or given up: nobody is to send it any more. */
  settle(delivery: Delivery): void {
    if (this.#store === null) return;
    const id = idOf(delivery);
    this.#made.delete(id);
    this.#settled.set(id, delivery); // also when it was not stored so far: what failed to store it may have done so after all
    void this.saved();
  }

  /** Resolves when everything so far is stored, or could not be. */
  saved(): Promise<void> {
    this.#saving ??= this.#saveAll();
    return this.#saving;
  }

  async takeOver(): Promise<Inheritance> {
    try {
      return (await this.#store?.takeOver()) ?? NOTHING;
    } catch (error) {
      this.#failed(error);
      return NOTHING;
    }
  }

  /** What people have said; while the store is away, what was known before. */
  async controls(): Promise<AlertControls> {
    try {
      this.#controls = (await this.#store?.controls()) ?? this.#controls;
    } catch (error) {
      this.#failed(error);
    }
    return this.#controls;
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
  }

  async #saveAll(): Promise<void> {
    await Promise.resolve(); // what else is recorded in this tick goes along
    try {
      while (this.#isDirty && !this.#closed) if (!(await this.#saveOnce())) break;
    } finally {
      this.#saving = null; // in the same tick as the last look: nothing that comes later passes for saved
    }
  }

  async #saveOnce(): Promise<boolean> {
    const [outages, released, made, settled] = [this.#outages, this.#released, this.#made, this.#settled];
    this.#outages = new Map();
    this.#released = new Set();
    this.#made = new Map();
    this.#settled = new Map();
    try {
      await this.#store?.save({
        outages: [...outages.values()],
        released: [...released],
        made: [...made.values()],
        settled: [...settled.values()],
      });
      if (this.#failing) this.#context.log.info({}, 'alerts are stored again');
      this.#failing = false;
      return true;
    } catch (error) {
      // what came meanwhile is newer
      this.#outages = new Map([...outages, ...this.#outages]);
      this.#released = new Set([...released, ...this.#released]);
      for (const [id, delivery] of made) if (!this.#settled.has(id)) this.#made.set(id, delivery);
      this.#settled = new Map([...settled, ...this.#settled]);
      this.#failed(error);
      return false;
    }
  }

  get #isDirty(): boolean {
    return this.#outages.size + this.#released.size + this.#made.size + this.#settled.size > 0;
  }

  #failed(error: unknown): void {
    const { clock, log } = this.#context;
    const cause = error instanceof Error ? error.message : String(error);
    if (!this.#failing) log.warn({ cause }, 'alerts cannot be stored: they are sent all the same');
    this.#failing = true;
    this.#cancelRetry?.();
    this.#cancelRetry = clock.after(RETRY_MS, () => void this.saved());
  }
}

function idOf({ channel, notification }: Delivery): string {
  return `${notification.id} ${channel}`;
}
