import { readFile } from 'node:fs/promises';
import { noop } from 'cockatiel';
import { Etcd3, type IOptions } from 'etcd3';
import { HeimdallError, messageOf } from '../../model/errors.ts';
import type { EtcdSettings } from '../../model/registry-settings.ts';
import { closed, faultOf, isFinal } from './faults.ts';
import { Turnstile } from './turnstile.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** So many calls are under way at a time: thousands at once would be answered too late, all of them. */
const ROOM = 64;
const CHANNEL = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
};

/** For one call: until when an answer counts. */
interface CallOptions {
  readonly deadline: number;
}

/**
 * The members of an etcd cluster. All calls go to one of them until it fails; then to the next.
 * The client library's own retries are switched off: which calls may be made twice is known here only.
 */
export class Members {
  readonly #settings: EtcdSettings;
  readonly #closing = new AbortController();
  readonly #turnstile = new Turnstile(ROOM);
  #passing = new AbortController();
  #clients: Promise<readonly Etcd3[]> | null = null;
  /** Grows with every failure: where the present client stands among all. */
  #turn = Math.floor(Math.random() * 100);

  constructor(settings: EtcdSettings) {
    this.#settings = settings;
  }

  /** How messages name the store. */
  get name(): string {
    return `${this.#settings.endpoints.join(', ')} (prefix ${this.#settings.prefix || '/'})`;
  }

  /** How long one member may take to answer, in milliseconds. */
  get timeout(): number {
    return this.#settings.timeout;
  }

  /**
   * How long all of them together may take, in milliseconds: as many as may be down are asked in vain, one answers, and there may
   * be an election.
   */
  get patience(): number {
    return this.timeout * (Math.floor(this.#settings.endpoints.length / 2) + 2);
  }

  /** Aborted by `close`. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Makes a call that may be made twice, until a member answers.
   * @throws {HeimdallError} REGISTRY_UNAVAILABLE when none did in time.
   */
  async ask<T>(call: (client: Etcd3, options: CallOptions) => Promise<T>): Promise<T> {
    const end = Date.now() + this.patience;
    let pause = FIRST_PAUSE_MS;
    let inRow = 0;
    for (;;) {
      try {
        return await this.once(call);
      } catch (error) {
        if (isFinal(error) || Date.now() + pause >= end) throw faultOf(error, this.name);
      }
      inRow += 1;
      if (inRow % this.#settings.endpoints.length === 0) {
        await pauseFor(pause, this.closing);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** Asks one member, once; after a failure the next call goes to the next member. What it throws is the library's. */
  once<T>(call: (client: Etcd3, options: CallOptions) => Promise<T>): Promise<T> {
    return this.#turnstile.pass(() => this.#call(call));
  }

  async #call<T>(call: (client: Etcd3, options: CallOptions) => Promise<T>): Promise<T> {
    if (this.closing.aborted) throw closed(this.name);
    this.#clients ??= this.#connect();
    const clients = await this.#clients.catch((error: unknown) => {
      this.#clients = null;
      throw error;
    });
    const turn = this.#turn;
    const client = clients[turn % clients.length];
    if (client === undefined) throw closed(this.name);
    try {
      return await call(client, { deadline: Date.now() + this.timeout });
    } catch (error) {
      if (!isFinal(error)) this.passOver(turn); // another member would say the same, and watches go on
      throw error;
    }
  }

  /** Where the next call goes; to be given to `passOver` when it fails. */
  get turn(): number {
    return this.#turn;
  }

  /** Aborted when the calls go to another member from now on. */
  get passing(): AbortSignal {
    return this.#passing.signal;
  }

  /** Calls that failed at the same time pass over one member only. */
  passOver(turn: number): void {
    if (turn !== this.#turn) return;
    this.#turn += 1;
    const passing = this.#passing;
    this.#passing = new AbortController();
    passing.abort();
  }

  async close(): Promise<void> {
    if (this.closing.aborted) return;
    this.#closing.abort();
    for (const client of (await this.#clients?.catch(() => [])) ?? []) client.close();
  }

  async #connect(): Promise<readonly Etcd3[]> {
    const { endpoints, username, password, timeout } = this.#settings;
    const credentials = await this.#credentials();
    const deadline = () => ({ deadline: Date.now() + timeout });
    const auth = username === undefined ? {} : { auth: { username, password: password ?? '', callOptions: deadline } };
    return endpoints.map((hosts) => {
      const faultHandling = { host: () => noop, global: noop };
      return new Etcd3({ hosts, grpcOptions: CHANNEL, faultHandling, ...auth, ...credentials });
    });
  }

  async #credentials(): Promise<Pick<IOptions, 'credentials'>> {
    const { ca, cert, key } = this.#settings;
    if (ca === undefined) return {};
    const [rootCertificate, certChain, privateKey] = await Promise.all([
      readPem(ca, 'ca'),
      cert === undefined ? undefined : readPem(cert, 'cert'),
      key === undefined ? undefined : readPem(key, 'key'),
    ]);
    return {
      credentials: {
        rootCertificate,
        ...(certChain === undefined ? {} : { certChain }),
        ...(privateKey === undefined ? {} : { privateKey }),
      },
    };
  }
}

export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}

async function readPem(path: string, field: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const message = `registry.etcd.${field}: ${path} cannot be read: ${messageOf(error)}`;
    throw new HeimdallError('REGISTRY_UNAVAILABLE', message, { path }, { cause: error });
  }
}
