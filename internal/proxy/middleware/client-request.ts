import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { plainAddress, type TrustedProxies } from '../client-address.ts';
import { type Forwarding, type RawFields, requestFields, requestIdOf } from '../fields.ts';
import type { BalancedRequest } from '../request-context.ts';
import type { RequestIds } from '../request-ids.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { CheckedRequest } from './request-check.ts';

const NOT_CHUNKED_BY_DEFAULT = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);
const LOOKED_UP = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade']);

/** A checked request of a client: what balancing, forwarding and the log need to know of it. */
export class ClientRequest implements BalancedRequest {
  readonly message: IncomingMessage;
  readonly id: string;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly hasBody: boolean;
  readonly clientAddress: string;
  readonly secure: boolean;
  /** Milliseconds of the engine's clock. */
  readonly startedAt: number;
  /** Null: it is not traced. */
  readonly trace: RequestTrace | null;
  /** They go with the upstream's answer: what the client is told of its limit. */
  limitFields: RawFields = [];
  readonly #forwarding: Forwarding;
  /** As the client sent them: `prepare` puts others in their place. */
  readonly #headers: IncomingMessage['headers'];
  readonly #url: string | undefined;

  constructor(
    message: IncomingMessage,
    checked: CheckedRequest,
    proxies: TrustedProxies,
    ids: RequestIds,
    startedAt: number,
    trace: RequestTrace | null,
  ) {
    const peer = plainAddress(message.socket.remoteAddress ?? '');
    const trusted = proxies.trusts(peer);
    const encrypted = message.socket instanceof TLSSocket; // under a server that embeds us
    this.message = message;
    this.startedAt = startedAt;
    this.trace = trace;
    this.#headers = message.headers;
    this.#url = message.url;
    this.id = requestIdOf(message.rawHeaders, ids);
    this.method = message.method ?? 'GET';
    this.target = checked.target;
    this.host = checked.host;
    this.hasBody = checked.hasBody;
    this.clientAddress = proxies.clientAddress(peer, this.field('x-forwarded-for'));
    this.secure = encrypted || (trusted && /^https\b/i.test(this.field('x-forwarded-proto') ?? ''));
    this.#forwarding = {
      peer,
      trusted,
      protocol: encrypted ? 'https' : 'http',
      port: message.socket.localPort ?? 0,
      host: checked.host,
      requestId: this.id,
      chunked: checked.chunked,
      trace,
    };
  }

  field(name: string): string | undefined {
    return fieldOf(this.#headers, name);
  }

  /** The client says that a repetition of this request does no harm. */
  get hasIdempotencyKey(): boolean {
    return this.field('idempotency-key') !== undefined;
  }

  /**
   * Puts the fields for the upstream where the library reads them, as a table from name to one or several values: Node
   * writes an array as repeated lines. An upgrade keeps the two fields that ask for it.
   */
  prepare(upgrade: boolean): void {
    const fields = requestFields(this.message.rawHeaders, this.#forwarding);
    if (upgrade) fields.push('Connection', 'Upgrade', 'Upgrade', 'websocket');
    else if (this.#needsChunkedField()) fields.push('Transfer-Encoding', 'chunked');
    this.message.headers = tableOf(fields);
  }

  /** The library has taken what it needs: others that hold the request, such as loggers, find it as the client sent it. */
  restore(): void {
    this.message.headers = this.#headers;
    this.message.url = this.#url;
  }

  /** Node chunks a body of its own accord only where a method usually has one; elsewhere it would go out without framing. */
  #needsChunkedField(): boolean {
    return this.#forwarding.chunked && NOT_CHUNKED_BY_DEFAULT.has(this.method);
  }
}

/** The first value of a field. @param name - in lower case. */
export function fieldOf(headers: IncomingMessage['headers'], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Without a prototype: a field may be called `__proto__`. Names keep their spelling, but for those the library looks up. */
function tableOf(fields: readonly string[]): Record<string, string | string[]> {
  const table: Record<string, string | string[]> = Object.create(null);
  const names = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [given = '', value = ''] = [fields[i], fields[i + 1]];
    const lower = given.toLowerCase();
    const name = names.get(lower) ?? (LOOKED_UP.has(lower) ? lower : given);
    names.set(lower, name);
    const before = table[name];
    if (before === undefined) table[name] = value;
    else table[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return table;
}
