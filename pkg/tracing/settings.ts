/** Whom spans are sent to, and what is said of ourselves. */
export interface ExportSettings {
  /** URL of an OTLP receiver for traces over HTTP, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  /** Sent along, for instance to authenticate. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one export, repetitions included; milliseconds. */
  readonly timeout: number;
  readonly serviceName: string;
  /** Attributes of the resource, on top of the service's name and version. */
  readonly attributes: Readonly<Record<string, string>>;
}
