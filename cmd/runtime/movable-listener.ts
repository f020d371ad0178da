import { authority } from '../../internal/model/address.ts';
import { hasCode, messageOf } from '../../internal/model/errors.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import type { Offer } from './inheritance.ts';

/** Something that accepts connections. */
export interface OpenListener {
  readonly port: number;
  /** The port is free as soon as this was called; resolves when the last connection is gone. */
  close(deadlineMs: number): Promise<void>;
  /** The same for the sake of a successor that accepts from the same sockets, so that clients notice nothing. */
  retire(deadlineMs: number, takenOver?: Promise<void>): Promise<void>;
  /** The descriptors of the listening sockets. */
  sockets(): Promise<readonly number[]>;
}

/** Opens an address. @param sockets - descriptors of sockets that listen there already. */
type Open = (address: Address, sockets: readonly number[]) => Promise<OpenListener>;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How often an address that was lost is tried again, in milliseconds. */
const RETRY_MS = 1_000;

/** A listener whose address may change while it runs. An unchanged address is never bound again. */
export class MovableListener {
  readonly #open: Open;
  readonly #closeMs: number;
  readonly #log: Logger;
  readonly #closing = new Set<Promise<void>>();
  #address: Address;
  #listener: OpenListener;
  /** Set while nothing listens. */
  #retry: NodeJS.Timeout | null = null;
  #closed = false;

  private constructor(open: Open, closeMs: number, log: Logger, at: Address, listener: OpenListener) {
    this.#open = open;
    this.#closeMs = closeMs;
    this.#log = log;
    this.#address = at;
    this.#listener = listener;
  }

  /**
   * @param closeMs - how long running requests may take when a listener is closed.
   * @param sockets - of a predecessor that listens on the address.
   */
  static async open(
    open: Open,
    address: Address,
    closeMs: number,
    log: Logger,
    sockets: readonly number[] = [],
  ): Promise<MovableListener> {
    return new MovableListener(open, closeMs, log, address, await open(address, sockets));
  }

  get port(): number {
    return this.#listener.port;
  }

  /**
   * The new address is bound before the old one is given up, so a failure changes nothing. Only when a change of the host
   * alone puts the two in each other's way (`0.0.0.0` and `127.0.0.1`) the old one goes first, and comes back after a failure.
   * @throws when the new address cannot be bound.
   */
  async move(address: Address): Promise<void> {
    if (sameAddress(address, this.#address)) return;
    const old = this.#listener;
    try {
      this.#listener = await this.#open(address, []);
      this.#retire(old);
    } catch (error) {
      if (address.port !== this.#address.port || !hasCode(error, 'PORT_TAKEN')) throw error;
      this.#retire(old);
      this.#listener = await this.#open(address, []).catch((failure: unknown) => this.#restore(failure));
    }
    this.#stopTrying();
    this.#address = address;
    this.#tell();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTrying();
    await Promise.all([this.#listener.close(this.#closeMs), ...this.#closing]);
  }

  /**
   * Leaves the address to a successor; resolves when no connection is left.
   * @param takenOver - from then on the deadline counts; default: at once.
   */
  async retire(deadlineMs: number, takenOver?: Promise<void>): Promise<void> {
    this.#closed = true;
    this.#stopTrying();
    await Promise.all([this.#listener.retire(deadlineMs, takenOver), ...this.#closing]);
  }

  /** What a successor needs to listen on the present address. */
  async offer(purpose: string): Promise<Offer> {
    return { purpose, host: this.#address.host, port: this.#listener.port, sockets: await this.#listener.sockets() };
  }

  #retire(listener: OpenListener): void {
    const closing = listener.close(this.#closeMs).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** @throws {unknown} always: why the move failed, once the old address is bound again. */
  async #restore(failure: unknown): Promise<never> {
    const { host, port } = this.#address;
    try {
      this.#listener = await this.#open(this.#address, []);
    } catch (error) {
      this.#listener = { port, close: async () => {}, retire: async () => {}, sockets: async () => [] };
      this.#log.fatal({ host, port, reason: messageOf(error) }, `nothing listens on ${authority(host, port)} any more`);
      this.#retry = setInterval(() => void this.#tryAgain(), RETRY_MS);
    }
    throw failure;
  }

  async #tryAgain(): Promise<void> {
    const address = this.#address;
    const listener = await this.#open(address, []).catch(() => null);
    if (listener === null) return;
    if (this.#retry === null || this.#closed || !sameAddress(address, this.#address)) {
      await listener.close(0); // moved or closed meanwhile, or an earlier try was slow
      return;
    }
    this.#stopTrying();
    this.#listener = listener;
    this.#tell();
  }

  #stopTrying(): void {
    if (this.#retry !== null) clearInterval(this.#retry);
    this.#retry = null;
  }

  #tell(): void {
    const { host } = this.#address;
    const { port } = this.#listener;
    this.#log.info({ host, port }, `now listening on ${authority(host, port)}`);
  }
}

function sameAddress(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port;
}
