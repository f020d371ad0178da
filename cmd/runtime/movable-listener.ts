import { authority } from '../../internal/model/address.ts';
import { hasCode, messageOf } from '../../internal/model/errors.ts';
import type { Logger } from '../../pkg/logger/logger.ts';

/** Something that accepts connections. */
export interface OpenListener {
  readonly port: number;
  /** The port is free as soon as this was called; resolves when the last connection is gone. */
  close(deadlineMs: number): Promise<void>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A listener whose address may change while it runs. An unchanged address is never bound again. */
export class MovableListener {
  readonly #open: (address: Address) => Promise<OpenListener>;
  readonly #closeMs: number;
  readonly #log: Logger;
  readonly #closing = new Set<Promise<void>>();
  #address: Address;
  #listener: OpenListener;

  private constructor(
    open: (address: Address) => Promise<OpenListener>,
    closeMs: number,
    log: Logger,
    at: Address,
    listener: OpenListener,
  ) {
    this.#open = open;
    this.#closeMs = closeMs;
    this.#log = log;
    this.#address = at;
    this.#listener = listener;
  }

  /** @param closeMs - how long running requests may take when a listener is closed. */
  static async open(
    open: (address: Address) => Promise<OpenListener>,
    address: Address,
    closeMs: number,
    log: Logger,
  ): Promise<MovableListener> {
    return new MovableListener(open, closeMs, log, address, await open(address));
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
    if (address.host === this.#address.host && address.port === this.#address.port) return;
    const old = this.#listener;
    try {
      this.#listener = await this.#open(address);
      this.#retire(old);
    } catch (error) {
      if (address.port !== this.#address.port || !hasCode(error, 'PORT_TAKEN')) throw error;
      this.#retire(old);
      this.#listener = await this.#open(address).catch((failure: unknown) => this.#restore(failure));
    }
    this.#address = address;
    const { host } = address;
    const { port } = this.#listener;
    this.#log.info({ host, port }, `now listening on ${authority(host, port)}`);
  }

  async close(): Promise<void> {
    await Promise.all([this.#listener.close(this.#closeMs), ...this.#closing]);
  }

  #retire(listener: OpenListener): void {
    const closing = listener.close(this.#closeMs).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** @throws {unknown} always: why the move failed, once the old address is bound again. */
  async #restore(failure: unknown): Promise<never> {
    const { host, port } = this.#address;
    try {
      this.#listener = await this.#open(this.#address);
    } catch (error) {
      this.#listener = { port, close: async () => {} };
      this.#log.fatal({ host, port, reason: messageOf(error) }, `nothing listens on ${authority(host, port)} any more`);
    }
    throw failure;
  }
}
