/** What an engine needs to know of tracing; whoever exports knows more. */
export interface TracingSettings {
  /** Share of the traces that begin here of which spans are made. */
  readonly sampleRatio: number;
}
