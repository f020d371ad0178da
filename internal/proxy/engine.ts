import type { Algorithm } from '../model/algorithms.ts';
import type { Destination } from './destination.ts';
import type { ExplainSettings } from './explain/explainer.ts';
import type { Search } from './explain/search.ts';
import type { ThreadReading } from './thread-reading.ts';
import type { BalancedRequest } from './request-context.ts';
import type { RetrySettings } from './retry.ts';
import type { SilentUpstream } from './silent-upstream.ts';
import type { Termination } from './termination.ts';
import type { TraceRecord } from './tracing/request-trace.ts';
import type { TracingSettings } from './tracing/settings.ts';

/** All times in milliseconds. */
export interface ProxyTimeouts {
  readonly connect: number;
  readonly responseHead: number;
  readonly streamIdle: number;
  readonly requestHead: number;
  readonly bodyIdle: number;
  readonly keepAlive: number;
  readonly upstreamIdle: number;
}

/** All sizes in bytes. */
export interface ProxyLimits {
  readonly head: number;
  readonly fields: number;
  readonly target: number;
  /** Null: unlimited. */
  readonly body: number | null;
}

/** What may change while the engine runs; read anew for every request. */
export interface EngineSettings {
  readonly timeouts: ProxyTimeouts;
  readonly limits: ProxyLimits;
  readonly retries: RetrySettings;
  readonly trustedProxies: readonly string[];
  /** Whether every connection begins with a PROXY protocol header. */
  readonly acceptProxyProtocol: boolean;
  readonly explain: ExplainSettings;
  /** Null: nothing is traced, and what clients say of traces passes as it is. */
  readonly tracing: TracingSettings | null;
  /** The field of answers that names the upstream which gave them; null: there is none. */
  readonly upstreamHeader: string | null;
}

/** One try of a request. All times in milliseconds. */
export interface AttemptRecord {
  readonly upstream: string;
  /** Of the upstream. */
  readonly host: string;
  readonly port: number;
  readonly outcome: string;
  /** From the request's head to the start of the attempt. */
  readonly afterMs: number;
  /** From the start of the attempt until its connection stood; 0: one was kept from an earlier request; null: there is none. */
  readonly connectMs: number | null;
  /** From the start of the attempt to the response head; null: there was none. */
  readonly headMs: number | null;
  /** From the start of the attempt to its end. */
  readonly totalMs: number;
  /** Of the upstream, when it was picked. */
  readonly weight: number;
}

/** One finished request, for whoever wants to know. All times in milliseconds. */
export interface RequestRecord {
  /** When its head was there; epoch, with fractions. */
  readonly at: number;
  readonly id: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  /** `HTTP/1.1` or `HTTP/1.0`; empty when the request could not be read. */
  readonly protocol: string;
  /** Whether the client's connection is encrypted, as far as we are told. */
  readonly secure: boolean;
  /** The header fields that it came with; null when it could not be read. */
  readonly fields: Pick<BalancedRequest, 'field'> | null;
  readonly service: string | null;
  /** By which it was balanced; absent when it was not. */
  readonly algorithm?: Algorithm | undefined;
  /** What the client got; 499 when it left before. */
  readonly status: number;
  readonly termination: Termination;
  readonly attempts: readonly AttemptRecord[];
  /** How long it waited for an upstream that had room, or while its service was paused or asleep. */
  readonly queueMs: number;
  /** From the request's head to the end of the answer. */
  readonly totalMs: number;
  /** Octets of the request's body, without its framing, and of what the client sent through a tunnel. */
  readonly receivedBytes: number;
  /** The same of the answer. */
  readonly sentBytes: number;
  /** Which rule a refused request broke, or why it got no upstream. */
  readonly refusal?: string | undefined;
  /** Its place in a trace; null: it is not traced. */
  readonly trace: TraceRecord | null;
  /** A defect of this program that broke the request. */
  readonly defect?: unknown;
}

/** Whom an engine asks where a request goes. */
export interface Routes {
  match(host: string, target: string): Destination | undefined;
}

export interface Listener {
  readonly host: string;
  readonly port: number;
  /**
   * Stops accepting, lets what runs finish, and after the deadline closes what is left.
   * Resolves when no connection is open any more.
   */
  close(deadlineMs: number): Promise<void>;
  /**
   * The same for the sake of a successor that accepts from the same sockets: a client that may be about to use an idle
   * connection is not cut off, but answered once more, or left until its usual timeout.
   */
  retire(deadlineMs: number): Promise<void>;
  /** The descriptors of the listening sockets, to be handed over to a successor. */
  sockets(): Promise<readonly number[]>;
}

/** Reads requests off connections and relays them: the one seam between the engines and everything they share. */
export interface Engine {
  /**
   * @param sockets - descriptors of sockets that listen there already; by default the address is bound.
   * @throws when the address cannot be bound.
   */
  listen(host: string, port: number, sockets?: readonly number[]): Promise<Listener>;
  configure(settings: EngineSettings): void;
  /** What is known of the request with that id. */
  explain(id: string): Promise<Search>;
  /** How each thread that takes requests is doing. */
  readings(): Promise<readonly ThreadReading[]>;
  /** Requests that wait for it are repeated elsewhere, where they may be; nobody uses its idle connections again. */
  rescue(from: SilentUpstream): void;
  /** The upstream is gone for good: its idle connections can be closed. */
  forget(upstreamId: string): void;
}
