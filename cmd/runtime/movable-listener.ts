import type { Logger } from '../../pkg/logger/logger.ts';

/** Something that accepts connections. */
export interface OpenListener {
  readonly port: number;
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

  /** The new address is bound before the old one is given up, so a failure changes nothing. @throws when it cannot be bound. */
  async move(address: Address): Promise<void> {
    if (address.host === this.#address.host && address.port === this.#address.port) return;
    const old = this.#listener;
    this.#listener = await this.#open(address);
    this.#address = address;
    this.#log.info(address, `now listening on ${address.host}:${this.#listener.port}`);
    const closing = old.close(this.#closeMs).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async close(): Promise<void> {
    await Promise.all([this.#listener.close(this.#closeMs), ...this.#closing]);
  }
}
