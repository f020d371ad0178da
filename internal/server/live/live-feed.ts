import type { Clock } from '../../../pkg/clock/clock.ts';
import type { Logger } from '../../../pkg/logger/logger.ts';
import { HeimdallError } from '../../model/errors.ts';
import type { LiveHistory, LiveMessages, LiveState, LiveTick } from '../../model/live.ts';
import { changeBetween } from './live-change.ts';

/** Between two looks while somebody watches, in milliseconds. */
const TICK_MS = 1_000;
/** A page left open costs little, but not nothing: more viewers than that are a mistake. */
export const MOST_VIEWERS = 100;

/** Somebody who watches. */
export interface Viewer {
  /** Resolves when he can take more; never rejects. @param json - one line. */
  send(event: keyof LiveMessages, json: string): Promise<void>;
  /** There will be nothing more. */
  end(): void;
}

/** Where what is shown comes from. */
export interface LiveSource {
  /** Somebody watches: to be called before each look. */
  watch(): Promise<void>;
  /** Nobody watches any more. */
  rest(): void;
  /** As it is now; without the registry, as it was known last. */
  state(): Promise<LiveState>;
  /** To be called after `state`. */
  history(): LiveHistory;
}

export interface LiveFeedOptions {
  readonly source: LiveSource;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A message as it is sent. */
type Message = readonly [event: keyof LiveMessages, json: string];

interface Seat {
  readonly viewer: Viewer;
  /** He has not taken yet what was sent last. */
  isBusy: boolean;
  /** What was told meanwhile is lost to him. */
  hasMissed: boolean;
}

/** Tells everybody who watches what has changed, once a second: one look for all of them, and none for nobody. */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #seats = new Set<Seat>();
  /** The state that the next tick goes out from; null: nobody watches. */
  #state: LiveState | null = null;
  /** How often the last viewer has left: what was begun for others is not for those who came since. */
  #rests = 0;
  /** What whoever comes is told of that state, made once for all who come before the next. */
  #welcome: { readonly state: LiveState; readonly messages: readonly Message[] } | null = null;
  #looking: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;
  #stopped = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  /**
   * @param enter - called when there is room.
   * @returns leaves again.
   * @throws {HeimdallError} TOO_MANY_VIEWERS; SHUTTING_DOWN.
   */
  join(enter: () => Viewer): () => void {
    if (this.#stopped) throw new HeimdallError('SHUTTING_DOWN', 'the manager stops');
    if (this.#seats.size >= MOST_VIEWERS) {
      const message = `${MOST_VIEWERS} viewers watch already, and no more can: close some of them, or ask for GET /live?once=true`;
      throw new HeimdallError('TOO_MANY_VIEWERS', message);
    }
    const seat: Seat = { viewer: enter(), isBusy: false, hasMissed: false };
    this.#seats.add(seat);
    if (this.#state !== null) this.#send(seat, this.#welcomeTo(this.#state));
    else this.#look();
    return () => this.#leave(seat);
  }

  /** What there is to see now, for somebody who does not stay. */
  once(): Promise<LiveState> {
    return this.#options.source.state();
  }

  /** Sends everybody away. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { viewer } of this.#seats) viewer.end();
    for (const seat of this.#seats) this.#leave(seat);
    await this.#looking;
  }

  #leave(seat: Seat): void {
    this.#seats.delete(seat);
    if (this.#seats.size > 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#state = null;
    this.#welcome = null;
    this.#rests += 1;
    this.#options.source.rest();
  }

  #look(): void {
    if (this.#looking !== null) return; // whoever comes meanwhile is told what is found
    const { clock } = this.#options;
    const began = clock.monotonic();
    this.#looking = this.#tell().then(() => {
      this.#looking = null;
      if (this.#seats.size === 0) return;
      const elapsed = clock.monotonic() - began;
      this.#cancelTimer = clock.after(Math.max(0, TICK_MS - elapsed), () => this.#look());
    });
  }

  /** Never rejects: with a tick that says nothing else, everybody sees at least that we live. */
  async #tell(): Promise<void> {
    const { clock, log } = this.#options;
    const [before, rests] = [this.#state, this.#rests];
    const next = await this.#find().catch((error: unknown) => {
      log.error({ err: error }, 'what is shown live could not be found out');
      return before && { ...before, at: new Date(clock.now()).toISOString() };
    });
    if (this.#seats.size === 0) return;
    if (rests !== this.#rests) return this.#tell();
    if (next === null) return;
    this.#state = next;
    this.#welcome = null;
    if (before === null) for (const seat of this.#seats) this.#send(seat, this.#welcomeTo(next));
    else this.#spread(next, { at: next.at, ...changeBetween(before, next) });
  }

  async #find(): Promise<LiveState> {
    await this.#options.source.watch();
    return this.#options.source.state();
  }

  #spread(state: LiveState, change: LiveTick): void {
    const tick = JSON.stringify(change);
    for (const seat of this.#seats) {
      if (seat.isBusy) seat.hasMissed = true;
      else if (seat.hasMissed) this.#send(seat, [['state', JSON.stringify(state)]]);
      else this.#send(seat, [['tick', tick]]);
    }
  }

  #welcomeTo(state: LiveState): readonly Message[] {
    if (this.#welcome?.state !== state) {
      const history = this.#options.source.history();
      this.#welcome = {
        state,
        messages: [
          ['state', JSON.stringify(state)],
          ['history', JSON.stringify(history)],
        ],
      };
    }
    return this.#welcome.messages;
  }

  #send(seat: Seat, messages: readonly Message[]): void {
    seat.isBusy = true;
    seat.hasMissed = false;
    const sent = messages.map(([event, json]) => seat.viewer.send(event, json));
    void Promise.all(sent).then(() => {
      seat.isBusy = false;
    });
  }
}
