export type Labels = Readonly<Record<string, string>>;

interface Named {
  /** After the conventions of Prometheus: base units, `_total` for counters. */
  readonly name: string;
  readonly help: string;
}

/** A counter or a gauge, with one value for each set of labels. */
export interface NumberFamily extends Named {
  readonly kind: 'counter' | 'gauge';
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
}

/** What was counted of some quantity. */
export interface Distribution {
  /** How many were not greater than `le`; in ascending order, the last one infinite. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly sum: number;
  readonly count: number;
}

export interface HistogramFamily extends Named {
  readonly kind: 'histogram';
  readonly samples: readonly (Distribution & { readonly labels: Labels })[];
}

/** All values of one metric at one moment. */
export type Family = NumberFamily | HistogramFamily;

/** A metric that has one value. */
export function single(kind: NumberFamily['kind'], name: string, help: string, value: number): NumberFamily {
  return { kind, name, help, samples: [{ labels: {}, value }] };
}
