export interface ClientOptions {
  /** Where the manager is, such as `http://127.0.0.1:7000`; in a page that the manager itself serves, `''`. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined;
  /** Who does it, as the audit shows it. */
  readonly actor?: string | undefined;
  /** Ends every call and stream of this client. */
  readonly signal?: AbortSignal | undefined;
  /** Default: the global one. */
  readonly fetch?: typeof fetch | undefined;
}

/** What every call takes. */
export interface CallOptions {
  /** A call ends with the signal's reason, a stream just ends. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Of several nodes the one whose manager is to answer, where a call is about one of them; default: the one that has the
   * instance, or that is asked.
   */
  readonly node?: string | undefined;
}

/** What every call takes that changes something. */
export interface ChangeOptions extends CallOptions {
  /** The same key with the same request does nothing a second time; of a POST. */
  readonly idempotencyKey?: string | undefined;
  /** Only if the resource is still the one with this ETag, else `HeimdallApiError` 412. */
  readonly ifMatch?: string | undefined;
}

/** What was asked for, with what to give to `ifMatch`; null when the manager sent none. */
export interface Tagged<T> {
  readonly value: T;
  readonly etag: string | null;
}

/** The same, where a key that may be absent may be undefined, too. */
export type Loose<T> = { readonly [K in keyof T]: object extends Pick<T, K> ? T[K] | undefined : T[K] };
