import type { Transport, TransportOwner } from './transport.ts';

/** After so long a silence the kernel asks whether the other host is still there, in milliseconds. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Two connections that speak another protocol with each other, since a 101: octets go both ways as they come, and silence
 * may last as long as it likes. Each side may end on its own; the other then goes on while it has something to say.
 */
export class Tunnel implements TransportOwner {
  readonly #client: Transport;
  readonly #upstream: Transport;
  readonly #halfClosedMs: number;
  readonly #onClosed: () => void;
  #halfClosed = false;
  #open = 2;

  private constructor(client: Transport, upstream: Transport, halfClosedMs: number, onClosed: () => void) {
    this.#client = client;
    this.#upstream = upstream;
    this.#halfClosedMs = halfClosedMs;
    this.#onClosed = onClosed;
  }

  /**
   * Takes over both connections.
   * @param halfClosedMs - how long one side may be silent once the other has ended: that may be gone altogether.
   * @param onClosed - called once, when both are gone.
   */
  static open(client: Transport, upstream: Transport, halfClosedMs: number, onClosed: () => void): void {
    const tunnel = new Tunnel(client, upstream, halfClosedMs, onClosed);
    for (const side of [client, upstream]) {
      side.owner = tunnel;
      side.expireNever();
      side.socket.setKeepAlive(true, KEEP_ALIVE_MS);
      side.resume();
    }
  }

  received(chunk: Buffer, length: number, by: Transport): void {
    if (!this.#other(by).relay(chunk, 0, length, by)) by.pause();
    if (this.#halfClosed) by.expireIn(this.#halfClosedMs);
  }

  ended(by: Transport): void {
    const other = this.#other(by);
    this.#halfClosed = true;
    other.end();
    other.expireIn(this.#halfClosedMs);
  }

  drained(by: Transport): void {
    this.#other(by).resume();
  }

  expired(): void {
    this.#client.abandon();
    this.#upstream.abandon();
  }

  closed(cause: string | null, by: Transport): void {
    this.#open -= 1;
    if (this.#open === 0) this.#onClosed();
    else if (cause === null) this.#other(by).close(this.#halfClosedMs);
    else this.#other(by).reset();
  }

  #other(side: Transport): Transport {
    return side === this.#client ? this.#upstream : this.#client;
  }
}
