import type { Socket } from 'node:net';
import type { Upstream } from './upstream.ts';

/** Counts the connections of one thread to one upstream, for as long as the thread has to do with it. */
export class CountedConnections {
  readonly #upstream: Upstream;
  #retired = false;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  /** From now on, until it is closed. */
  opens(socket: Socket): void {
    if (this.#retired) return;
    const { connectionCounts, slot } = this.#upstream;
    connectionCounts.opens(slot);
    socket.once('close', () => {
      if (!this.#retired) connectionCounts.closed(slot);
    });
  }

  /** It is one until it is closed. */
  becomesTunnel(socket: Socket): void {
    if (this.#retired) return;
    const { connectionCounts, slot } = this.#upstream;
    connectionCounts.tunnels(slot, 1);
    socket.once('close', () => {
      if (!this.#retired) connectionCounts.tunnels(slot, -1);
    });
  }

  reused(): void {
    if (!this.#retired) this.#upstream.connectionCounts.reused(this.#upstream.slot);
  }

  /** So many are idle now. */
  set idle(count: number) {
    if (!this.#retired) this.#upstream.connectionCounts.setIdle(this.#upstream.slot, count);
  }

  /** The upstream is gone: its place may become another's. */
  retire(): void {
    this.#upstream.connectionCounts.leave(this.#upstream.slot);
    this.#retired = true;
  }
}
