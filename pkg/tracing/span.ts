/** Values of the kinds that OpenTelemetry knows; what is undefined is left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One finished span, as plain data. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Null: the trace begins with it. */
  readonly parent: { readonly spanId: string; readonly isRemote: boolean } | null;
  /** W3C `tracestate`; empty: none. */
  readonly state: string;
  readonly name: string;
  readonly kind: 'server' | 'client';
  /** Epoch milliseconds, with fractions. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
}

/** What became of the spans so far. */
export interface SpanCounts {
  exported: number;
  /** Sent in vain. */
  failed: number;
  /** Never sent, because too many were waiting. */
  dropped: number;
}
