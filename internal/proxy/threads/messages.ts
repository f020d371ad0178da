import type { Instance } from '../../model/instance.ts';
import type { Service } from '../../model/service.ts';
import type { LineBatch } from '../access-log/line-collector.ts';
import type { LineSettings } from '../access-log/line-format.ts';
import type { ClientTraffic } from '../client-sockets.ts';
import type { EngineSettings } from '../engine.ts';
import type { RateLimitMemory } from '../rate-limit/rate-limits.ts';
import type { Finding } from '../explain/explainer.ts';
import type { SharedSize } from '../shared-state.ts';
import type { SilentUpstream } from '../silent-upstream.ts';
import type { TracedRequest } from '../tracing/traced-request.ts';

/** One pool as the threads are told of it; health, lifecycle and weight are in the shared memory. */
export interface PoolPicture {
  readonly service: Service;
  /** Its place in the shared memory. */
  readonly pool: number;
  /** HTML for browsers whose request was held in vain; null: there is none. */
  readonly page: string | null;
  /** Those that the thread does not know: new, or with another slot. */
  readonly upstreams: readonly UpstreamPicture[];
  /** Ids of those that it knows and that are gone. */
  readonly gone: readonly string[];
}

export interface UpstreamPicture {
  readonly slot: number;
  readonly instance: Instance;
}

/** What changed since the picture before. */
export interface PictureChange {
  readonly generation: number;
  /** New and changed ones; what is not among them stays as it is. */
  readonly pools: readonly PoolPicture[];
  /** Names of services. */
  readonly removed: readonly string[];
}

/** What a thread is started with. */
export interface ThreadStart {
  /** From 1. */
  readonly thread: number;
  readonly buffer: SharedArrayBuffer;
  readonly size: SharedSize;
  readonly limits: RateLimitMemory;
  /** Whether several sockets can share a port. */
  readonly sharesPorts: boolean;
  readonly settings: EngineSettings;
  readonly cookieSecret: string;
  /** Of the access log; null: there is none. */
  readonly lines: LineSettings | null;
  readonly picture: PictureChange;
}

/** What a thread tells of itself. */
export interface Measured {
  readonly clients: ClientTraffic;
  /** By the clock that all threads share, in milliseconds. */
  readonly answeredAt: number;
}

export type ToThread =
  | { readonly kind: 'picture'; readonly change: PictureChange }
  | { readonly kind: 'settings'; readonly settings: EngineSettings }
  | { readonly kind: 'lines'; readonly lines: LineSettings | null }
  /** The memory of lines that are under way no more. */
  | { readonly kind: 'returned'; readonly memory: SharedArrayBuffer }
  /** Lines that were not sent so far shall be. */
  | { readonly kind: 'flush'; readonly question: number }
  | {
      readonly kind: 'listen';
      readonly listener: number;
      readonly host: string;
      readonly port: number;
      /** Descriptors of sockets that listen there already; none: the address is bound. */
      readonly sockets: readonly number[];
    }
  | { readonly kind: 'sockets'; readonly listener: number }
  /** See `Engine.rescue`. */
  | { readonly kind: 'rescue'; readonly from: SilentUpstream }
  /** What is known of the request with that id? */
  | { readonly kind: 'explain'; readonly question: number; readonly id: string }
  /** The last batch of traced requests has arrived. */
  | { readonly kind: 'traces-taken' }
  /** How is the thread doing? */
  | { readonly kind: 'measure'; readonly question: number }
  /** @param isRetiring - a successor accepts from the same sockets, see `Listener.retire`. */
  | { readonly kind: 'close'; readonly listener: number; readonly deadlineMs: number; readonly isRetiring: boolean };

export type FromThread =
  | { readonly kind: 'applied'; readonly generation: number }
  | { readonly kind: 'listening'; readonly listener: number }
  | { readonly kind: 'sockets'; readonly listener: number; readonly sockets: readonly number[] }
  | { readonly kind: 'not-listening'; readonly listener: number; readonly code: string; readonly message: string }
  | { readonly kind: 'explained'; readonly question: number; readonly finding: Finding }
  | { readonly kind: 'measured'; readonly question: number; readonly measured: Measured }
  /** @param droppedSpans - so many more were dropped since the message before. */
  | { readonly kind: 'traces'; readonly requests: readonly TracedRequest[]; readonly droppedSpans: number }
  | { readonly kind: 'lines'; readonly batch: LineBatch }
  /** All lines were sent. */
  | { readonly kind: 'flushed'; readonly question: number }
  /** New connections are not taken any more; the address is free. */
  | { readonly kind: 'gave-up'; readonly listener: number }
  /** The last connection is closed. */
  | { readonly kind: 'closed'; readonly listener: number }
  /** No connection could be made to an upstream. */
  | { readonly kind: 'connect-failed'; readonly id: string; readonly ordinal: number; readonly cause: string }
  /** A request on an upstream that gets no more of them ended. */
  | { readonly kind: 'drained' }
  /** An upstream has failed as often in a row as one may, or while it was on trial. */
  | { readonly kind: 'failing' }
  /** A request is held, the first of all threads that is. */
  | { readonly kind: 'held' };
