import type { Alert, AlertSink } from './alert.ts';

/** Says of all that one node tells of itself that it is there. */
export class PlacedSink implements AlertSink {
  readonly #sink: AlertSink;
  readonly #node: string;

  constructor(sink: AlertSink, node: string) {
    this.#sink = sink;
    this.#node = node;
  }

  /** What names a node, or says that it is about none, stays as it is. */
  raise(alert: Alert): void {
    this.#sink.raise({ node: this.#node, ...alert });
  }

  resolve(key: string, at: number): void {
    this.#sink.resolve(key, at);
  }
}
