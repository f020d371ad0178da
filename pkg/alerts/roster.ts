import type { AddedChannel } from './added-channel.ts';
import { type AlertChannels, createNotifiers } from './create-notifiers.ts';
import type { AlertDispatcher } from './dispatcher.ts';
import type { AlertStore } from './store.ts';

export interface RosterSettings extends AlertChannels {
  /** Milliseconds, as the next one. */
  readonly groupWindow: number;
  readonly repeatAfter: number;
}

/** Gives a dispatcher all channels there are: those of the configuration, and those that came through the API. */
export class ChannelRoster {
  readonly #dispatcher: AlertDispatcher;
  readonly #store: AlertStore;
  #settings: RosterSettings;
  #added: readonly AddedChannel[] = [];

  /** @param settings - with which the dispatcher was made. */
  constructor(dispatcher: AlertDispatcher, store: AlertStore, settings: RosterSettings) {
    this.#dispatcher = dispatcher;
    this.#store = store;
    this.#settings = settings;
  }

  /** Takes over a changed configuration. */
  configure(settings: RosterSettings): void {
    this.#settings = settings;
    this.#apply();
  }

  /** Takes over what has changed in the store; while that is away everything stays as it is. To be called before `takeOver`. */
  async follow(): Promise<void> {
    const added = await this.#store.channels().catch(() => this.#added);
    if (JSON.stringify(added) === JSON.stringify(this.#added)) return;
    this.#added = added;
    this.#apply();
  }

  #apply(): void {
    const { groupWindow, repeatAfter } = this.#settings;
    this.#dispatcher.reconfigure(createNotifiers(this.#settings, this.#added), {
      groupWindowMs: groupWindow,
      repeatAfterMs: repeatAfter,
    });
  }
}
