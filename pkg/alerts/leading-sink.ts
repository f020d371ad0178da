import type { Alert, AlertSink, JointSink } from './alert.ts';

/** Passes on what holds while this process speaks for all that see the same; when it begins to, it goes on with what holds then. */
export class LeadingSink implements AlertSink {
  readonly #sink: JointSink;
  readonly #active = new Map<string, Alert>();
  #leading = false;

  constructor(sink: JointSink) {
    this.#sink = sink;
  }

  lead(leading: boolean): void {
    if (leading === this.#leading) return;
    this.#leading = leading;
    for (const alert of this.#active.values()) {
      if (leading) this.#sink.raise(alert);
      else this.#sink.release(alert.key);
    }
  }

  /** Another one has told of it, and the sink goes on with that. */
  inherit(alert: Alert): void {
    this.#active.set(alert.key, alert);
  }

  raise(alert: Alert): void {
    this.#active.set(alert.key, alert);
    if (this.#leading) this.#sink.raise(alert);
  }

  resolve(key: string, at: number): void {
    this.#active.delete(key);
    if (this.#leading) this.#sink.resolve(key, at);
  }
}
