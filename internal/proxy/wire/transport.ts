import { connect, type Socket } from 'node:net';
import type { SilentUpstream } from '../silent-upstream.ts';
import { adoptSocket } from './adopt-socket.ts';

/** Octets that one read takes from a socket at most. */
const READ_BUFFER = 64 * 1024;
/** Longer pieces are not worth a detour through a string. */
const SHORT_PIECE = 8 * 1024;

/** How long a connection that we have ended stays open for the other end, in milliseconds: closed at once, it would be reset while octets arrive, and the reset can overtake our last ones. */
const LINGER_MS = 2_000;

/** Who is told what happens on a connection. */
export interface TransportOwner {
  /** Only for connections that we open. */
  connected?(by: Transport): void;
  /** Octets came: `chunk[0, length)`, there for the time of the call only. `relay` them, or copy them. */
  received(chunk: Buffer, length: number, by: Transport): void;
  /** The other end has sent all it will send. */
  ended(by: Transport): void;
  /** The kernel has taken everything, after a time in which it did not. */
  drained(by: Transport): void;
  /** An upstream answers nobody any more, perhaps the one at the other end. */
  rescue?(from: SilentUpstream): void;
  /** The deadline has passed. */
  expired(by: Transport): void;
  /** Gone; nothing follows. @param cause - null when nothing went wrong, else a short code such as `ECONNRESET`. */
  closed(cause: string | null, by: Transport): void;
}

/** What the transports of one thread share. */
export interface TransportHost {
  /** One read buffer for all: what was read is used up before the next read. */
  readonly readBuffer: Buffer;
  /** Coarse monotonic milliseconds, as of the last sweep. */
  readonly time: number;
  /** Longest time between two sweeps, in milliseconds. */
  readonly tick: number;
  /** Every open transport, for the sweep. */
  readonly transports: Set<Transport>;
}

/** A TCP connection, with reads that cost no memory, writes that tell whether they went through, and a coarse deadline. */
export class Transport {
  readonly socket: Socket;
  owner: TransportOwner;
  readonly #host: TransportHost;
  /** Its own while a long body comes on it: such a buffer can be handed to the kernel without a copy. */
  #ownBuffer: Buffer | null = null;
  #deadline = 0;
  #cause: string | null = null;
  #paused = false;

  private constructor(socket: Socket, owner: TransportOwner, host: TransportHost) {
    this.socket = socket;
    this.owner = owner;
    this.#host = host;
    host.transports.add(this);
    socket.on('end', () => this.owner.ended(this));
    socket.on('drain', () => this.owner.drained(this));
    socket.on('error', (error) => {
      this.#cause ??= 'code' in error ? String(error.code) : error.message;
    });
    socket.on('close', () => {
      host.transports.delete(this);
      this.owner.closed(this.#cause, this);
    });
  }

  /** A connection that a listener took in, and did not read from. */
  static accept(socket: Socket, owner: TransportOwner, host: TransportHost): Transport {
    let transport: Transport | null = null;
    const adopted = adoptSocket(socket, {
      buffer: () => transport?.buffer ?? host.readBuffer,
      callback: (length, chunk) => transport?.read(length, chunk) ?? true,
    });
    transport = new Transport(adopted ?? socket, owner, host);
    if (adopted === null) socket.on('data', (chunk: Buffer) => transport.read(chunk.length, chunk));
    transport.socket.resume();
    return transport;
  }

  static connect(address: { host: string; port: number }, owner: TransportOwner, host: TransportHost): Transport {
    let transport: Transport | null = null;
    const onread = {
      buffer: () => transport?.buffer ?? host.readBuffer,
      callback: (length: number, chunk: Uint8Array) => transport?.read(length, chunk) ?? true,
    };
    const socket = connect({ ...address, noDelay: true, allowHalfOpen: true, onread });
    transport = new Transport(socket, owner, host);
    socket.once('connect', () => transport.owner.connected?.(transport));
    return transport;
  }

  /** For the socket alone. */
  read(length: number, chunk: Uint8Array): true {
    if (chunk instanceof Buffer) this.owner.received(chunk, length, this);
    return true;
  }

  get buffer(): Buffer {
    return this.#ownBuffer ?? this.#host.readBuffer;
  }

  /** It can carry nothing any more, although its owner may not have been told yet. */
  get isGone(): boolean {
    return this.socket.destroyed;
  }

  /** Whether everything written is with the kernel. */
  get flushed(): boolean {
    return this.socket.writableLength === 0;
  }

  /** Whether more may be written: what is not with the kernel is little, and nobody was told to wait for it. */
  get flows(): boolean {
    return this.socket.writableLength === 0 || !this.socket.writableNeedDrain;
  }

  /** A long body comes on this connection: from the next read on it has a buffer of its own. */
  expectLongBody(): void {
    this.#ownBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER);
  }

  /** The long body is over. */
  shareBuffer(): void {
    this.#ownBuffer = null;
  }

  /** @param text - one character per octet. */
  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /**
   * Writes octets that were just received on `source`.
   * @returns false when the kernel does not take more at present: the source should pause until `drained`.
   */
  relay(chunk: Buffer, from: number, to: number, source: Transport): boolean {
    const { socket } = this;
    if (chunk === source.#ownBuffer) {
      socket.write(chunk.subarray(from, to));
      // The kernel did not take all of it, and the buffer belongs to the write until it does.
      if (socket.writableLength > 0) source.#ownBuffer = Buffer.allocUnsafeSlow(READ_BUFFER);
    } else if (to - from <= SHORT_PIECE) {
      socket.write(chunk.toString('latin1', from, to), 'latin1');
    } else {
      socket.write(chunk === this.#host.readBuffer ? Buffer.from(chunk.subarray(from, to)) : chunk.subarray(from, to));
    }
    return this.flows;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Calls `expired` unless another deadline is set before; late by at most two ticks. */
  expireIn(milliseconds: number): void {
    this.#deadline = this.#host.time + this.#host.tick + milliseconds;
  }

  expireNever(): void {
    this.#deadline = 0;
  }

  /** To be called by the sweep. */
  check(time: number): void {
    if (this.#deadline === 0 || time < this.#deadline) return;
    this.#deadline = 0;
    this.owner.expired(this);
  }

  /** Sends what is written, then says that nothing follows. */
  end(): void {
    this.socket.end();
  }

  /**
   * Ends, and gives the other end a moment to do the same; `expired` must `abandon`.
   * @param drainMs - how long the other end may take for what is still to be written.
   */
  close(drainMs: number): void {
    this.socket.end();
    this.resume();
    this.expireIn(this.flushed ? LINGER_MS : drainMs);
    if (!this.flushed) this.socket.once('finish', () => this.expireIn(LINGER_MS));
  }

  /** Closes at once; when something is still to be written, so that nobody takes it for an orderly end. */
  abandon(): void {
    if (this.flushed) this.destroy();
    else this.reset();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Closes so that the other end cannot take it for an orderly end. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}
