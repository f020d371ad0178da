import { CountedConnections } from '../counted-connections.ts';
import { isThat, type SilentUpstream } from '../silent-upstream.ts';
import type { Upstream } from '../upstream.ts';
import { Transport, type TransportHost, type TransportOwner } from './transport.ts';

/** So many are kept for as long as the upstream allows. */
const KEPT = 64;
/** What a peak has left beyond that is closed after this time, in milliseconds; HAProxy's `pool-purge-delay`. */
const SURPLUS_MS = 5_000;

/**
 * The connections to one upstream: opens them, counts them, and keeps the idle ones, of which the last used is the first to be used again: the others grow old and are closed, so
 * that their number follows the load. It owns them while they are idle: one that speaks unasked, or ends, is closed.
 */
export class ConnectionsTo implements TransportOwner {
  readonly upstream: Upstream;
  readonly #host: TransportHost;
  readonly #counted: CountedConnections;
  readonly #idle: Transport[] = [];
  #retired = false;

  constructor(upstream: Upstream, host: TransportHost) {
    this.upstream = upstream;
    this.#host = host;
    this.#counted = new CountedConnections(upstream);
  }

  /** A new one. */
  open(owner: TransportOwner): Transport {
    const { host, port } = this.upstream.instance;
    const transport = Transport.connect({ host, port }, owner, this.#host);
    this.#counted.opens(transport.socket);
    return transport;
  }

  becomesTunnel({ socket }: Transport): void {
    this.#counted.becomesTunnel(socket);
  }

  take(owner: TransportOwner): Transport | null {
    for (let transport = this.#idle.pop(); transport !== undefined; transport = this.#idle.pop()) {
      if (transport.isGone) continue;
      transport.owner = owner;
      transport.expireNever();
      this.#countIdle();
      this.#counted.reused();
      return transport;
    }
    this.#countIdle();
    return null;
  }

  /** @param idleMs - how long it may wait for its next request, in milliseconds. */
  give(transport: Transport, idleMs: number): void {
    transport.owner = this;
    if (this.#retired || idleMs <= 0) {
      transport.destroy();
      return;
    }
    transport.resume();
    transport.expireIn(this.#idle.length < KEPT ? idleMs : Math.min(idleMs, SURPLUS_MS));
    this.#idle.push(transport);
    this.#countIdle();
  }

  /** Closes what is idle. */
  clear(): void {
    for (const transport of this.#idle.splice(0)) transport.destroy();
    this.#countIdle();
  }

  /** The upstream is gone: nothing is kept any more. */
  retire(): void {
    this.#retired = true;
    this.clear();
    this.#counted.retire();
  }

  /** What was sent on them might never arrive, or be answered with a reset. */
  rescue(from: SilentUpstream): void {
    if (isThat(from, this.upstream)) this.clear();
  }

  /** An answer that nobody asked for would be taken for the answer to the next request. */
  received(_chunk: Buffer, _length: number, by: Transport): void {
    by.destroy();
  }

  ended(by: Transport): void {
    by.destroy();
  }

  drained(): void {}

  expired(by: Transport): void {
    by.destroy();
  }

  closed(_cause: string | null, by: Transport): void {
    const index = this.#idle.indexOf(by);
    if (index === -1) return;
    this.#idle.splice(index, 1);
    this.#countIdle();
  }

  #countIdle(): void {
    this.#counted.idle = this.#idle.length;
  }
}

/** The connections to all upstreams, of one thread. */
export class UpstreamConnections {
  readonly #host: TransportHost;
  readonly #idle = new Map<Upstream, ConnectionsTo>();

  constructor(host: TransportHost) {
    this.#host = host;
  }

  of(upstream: Upstream): ConnectionsTo {
    let idle = this.#idle.get(upstream);
    if (idle === undefined) {
      idle = new ConnectionsTo(upstream, this.#host);
      this.#idle.set(upstream, idle);
    }
    return idle;
  }

  /** The upstream is gone for good; requests that run on its connections go on. */
  forget(upstreamId: string): void {
    for (const [upstream, idle] of this.#idle) {
      if (upstream.id !== upstreamId) continue;
      this.#idle.delete(upstream);
      idle.retire();
    }
  }

  forgetAll(): void {
    for (const idle of this.#idle.values()) idle.retire();
    this.#idle.clear();
  }
}
