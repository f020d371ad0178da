import { HeimdallApiError, HeimdallConnectionError } from './errors.ts';
import { EventParser, type ServerSentEvent } from './event-parser.ts';
import type { ChangeOptions, ClientOptions, Tagged } from './options.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** From the root, its variable parts encoded: see `segment`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: object;
  readonly options?: ChangeOptions | undefined;
}

/** A call as it is about to be sent. */
interface Sending {
  readonly url: string;
  readonly signal: AbortSignal | undefined;
  readonly request: RequestInit;
}

/** A variable part of a path. */
export function segment(part: string | number): string {
  return encodeURIComponent(part);
}

/** Calls to one manager over `fetch`. */
export class Connection {
  readonly #options: ClientOptions;
  readonly #base: string;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#base = options.baseUrl.replace(/\/+$/, '');
  }

  /**
   * The answer's JSON. Its type is what the manager promises: the manager's tests hold its answers against the schemas of these
   * types, which are too large to come along.
   * @throws {HeimdallApiError} {HeimdallConnectionError} the signal's reason.
   */
  async json<T>(call: Call): Promise<T> {
    return (await this.tagged<T>(call)).value;
  }

  async tagged<T>(call: Call): Promise<Tagged<T>> {
    const sending = this.#sendingOf(call, 'application/json');
    const response = await this.#send(sending);
    const text = await this.#textOf(response, sending);
    try {
      const value: T = JSON.parse(text);
      return { value, etag: response.headers.get('ETag') };
    } catch (cause) {
      throw this.#noManager(sending, { cause });
    }
  }

  /**
   * The events of a stream, until the signal comes; leaving the loop closes the connection.
   * @throws {HeimdallApiError} {HeimdallConnectionError} also when the stream breaks off or ends.
   */
  async *events(call: Call): AsyncGenerator<ServerSentEvent, void> {
    const sending = this.#sendingOf(call, 'text/event-stream');
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    try {
      const { body, headers } = await this.#send(sending);
      const isStream = headers.get('Content-Type')?.startsWith('text/event-stream') ?? false;
      if (body === null || !isStream) throw this.#noManager(sending);
      reader = body.getReader();
      const [decoder, parser] = [new TextDecoder(), new EventParser()];
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Error('the manager stops, or another one takes its place');
        yield* parser.push(decoder.decode(value, { stream: true }));
      }
    } catch (error) {
      if (!sending.signal?.aborted) throw this.#failure(sending, 'the stream ended', error);
    } finally {
      await reader?.cancel().catch(() => {}); // what has failed already has nothing to cancel
    }
  }

  async #send(sending: Sending): Promise<Response> {
    const { url, signal, request } = sending;
    const send = this.#options.fetch ?? fetch; // not called as a method: the one of browsers refuses that
    const response = await send(url, request).catch((error: unknown) => {
      if (signal?.aborted) throw error;
      throw this.#failure(sending, 'nobody answers', error, '; is heimdall running, and is that its address?');
    });
    if (response.ok) return response;
    throw problemOf(response, await this.#textOf(response, sending));
  }

  async #textOf(response: Response, sending: Sending): Promise<string> {
    return response.text().catch((error: unknown) => {
      throw sending.signal?.aborted ? error : this.#failure(sending, 'the answer broke off', error);
    });
  }

  #sendingOf({ method, path, query = {}, body, options = {} }: Call, accept: string): Sending {
    const { token, actor } = this.#options;
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
    if (options.node !== undefined) parameters.set('node', options.node);
    const signal = this.#signalOf(options.signal);
    const headers: Record<string, string> = {
      Accept: accept,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${sendable('token', token)}` }),
      ...(actor === undefined ? {} : { 'Heimdall-Actor': encodeURIComponent(actor.toWellFormed()) }),
      ...(options.idempotencyKey === undefined
        ? {}
        : { 'Idempotency-Key': sendable('idempotencyKey', options.idempotencyKey) }),
      ...(options.ifMatch === undefined ? {} : { 'If-Match': sendable('ifMatch', options.ifMatch) }),
    };
    const url = `${this.#base}${path}${parameters.size === 0 ? '' : `?${parameters.toString()}`}`;
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    return { url, signal, request: { method, headers, ...content, signal: signal ?? null, cache: 'no-store' } };
  }

  #signalOf(own: AbortSignal | undefined): AbortSignal | undefined {
    const signals = [this.#options.signal, own].filter((signal) => signal !== undefined);
    return signals.length < 2 ? signals[0] : AbortSignal.any(signals);
  }

  #failure({ url }: Sending, what: string, error: unknown, advice = ''): Error {
    if (error instanceof HeimdallApiError || error instanceof HeimdallConnectionError) return error;
    const message = `${what} on ${this.#base || url} (${reasonOf(error)})${advice}`;
    return new HeimdallConnectionError(url, message, { cause: error });
  }

  #noManager({ url }: Sending, options?: ErrorOptions): HeimdallConnectionError {
    const message = `what answers on ${this.#base || url} is no server manager of heimdall: look at the address`;
    return new HeimdallConnectionError(url, message, options);
  }
}

/** What `fetch` would refuse, it would refuse as if nobody answered, and show. @throws {TypeError} names it, and does not show what may be a secret. */
function sendable(name: string, value: string): string {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value.trim())) return value;
  throw new TypeError(`${name} has characters that no header field can have`);
}

function problemOf({ status, headers }: Response, text: string): HeimdallApiError {
  const wait = headers.get('Retry-After') ?? '';
  const retryAfter = /^\d+$/.test(wait) ? Number(wait) : null;
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem !== null) return new HeimdallApiError(status, problem, retryAfter);
  } catch {
    // somebody on the way answered, in words of their own
  }
  return new HeimdallApiError(status, { detail: text.trim().slice(0, 300) || `status ${status}` }, retryAfter);
}

/** `fetch` hides the reason in the cause, and of several addresses in the causes of that. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error.message;
}
