import type { RequestListener, ServerResponse } from 'node:http';
import { relayTo, type Successor, unwrapRelayed } from './relay.ts';

/**
 * Stands between an HTTP server and what answers its requests: knows what is under way, and once a successor listens on
 * the same address, passes on to it what still comes on old connections.
 */
export class Gate {
  /** Those that were let in; what is passed on is none of ours. */
  readonly #running = new Set<ServerResponse>();
  readonly #key: string;
  #relay: RequestListener | null = null;
  #onEnd: () => void = () => {};

  /** @param key - that predecessor, this process and successor share, and nobody else knows. */
  constructor(key: string) {
    this.#key = key;
  }

  around(app: RequestListener): RequestListener {
    return (request, response) => {
      unwrapRelayed(request, this.#key);
      if (this.#relay !== null) {
        this.#relay(request, response);
        return;
      }
      this.#running.add(response);
      response.once('close', () => {
        this.#running.delete(response);
        this.#onEnd();
      });
      app(request, response);
    };
  }

  /** From now on every request waits for the successor, and is answered by it. */
  passOnTo(successor: Successor): void {
    this.#relay = relayTo(successor, this.#key);
  }

  /** Resolves when no more than `besides` requests are under way that were let in, or after the deadline. */
  async finished(besides: number, deadlineMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEnd = () => {
      if (this.#running.size <= besides) resolve();
    };
    const deadline = setTimeout(resolve, deadlineMs);
    this.#onEnd();
    await promise;
    clearTimeout(deadline);
  }
}
