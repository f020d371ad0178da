export const SEVERITIES = ['critical', 'warning', 'info'] as const;
/** Listed from worst to mildest. */
type Severity = (typeof SEVERITIES)[number];

/** A condition that a person should know about. */
export interface Alert {
  /** Identity of the condition: the same key is the same trouble, such as `instance-down:web-9001-ab12`. */
  readonly key: string;
  readonly severity: Severity;
  /** What is wrong, in a few words: `web-9001 is down`. */
  readonly title: string;
  /** Why; the first line counts most, the others may be the end of a log. */
  readonly cause?: string | undefined;
  readonly service?: string | undefined;
  readonly instance?: string | undefined;
  /** The machine that it is about, where there are several. */
  readonly node?: string | undefined;
  /** How many instances the service has, when the trouble is that one of them is down: such alerts are told together. */
  readonly outOf?: number | undefined;
  /** Epoch milliseconds when it began. */
  readonly at: number;
}

/** The part of the dispatcher that those need who tell of conditions. */
export interface AlertSink {
  raise(alert: Alert): void;
  resolve(key: string, at: number): void;
}

/** A sink of several, of which one speaks. */
export interface JointSink extends AlertSink {
  /** Leaves a condition, and what is left to tell of it, to another one. */
  release(key: string): void;
}

/** A sink whose conditions may turn out to be part of another one. */
export interface FoldingSink extends JointSink {
  /** Another condition tells of it: people hear nothing of it unless they have already; then they hear that it ended. */
  retract(key: string, at: number): void;
}

/** What one message tells of one condition. */
export interface NotificationEntry {
  readonly alert: Alert;
  readonly state: 'firing' | 'resolved';
  /** Epoch milliseconds; null: nobody knows. Of what is firing it is known only when it ends by itself. */
  readonly resolvedAt: number | null;
  /** How often it began since the last message about it; above 1 when it flaps. */
  readonly occurrences: number;
}

/** One message, ready for any channel. Its texts hold no control characters but line feeds. */
export interface Notification {
  /** The same for every attempt, so that a receiver can drop a repetition. */
  readonly id: string;
  /** The installation that it comes from, where several share a receiver. */
  readonly site?: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The worst severity that is firing, or `resolved` when none is. */
  readonly level: Severity | 'resolved';
  /** One line, short enough for a phone. */
  readonly subject: string;
  /** Plain text of several lines. */
  readonly text: string;
  /** At least one, the worst first, the resolved last. */
  readonly entries: readonly NotificationEntry[];
}
