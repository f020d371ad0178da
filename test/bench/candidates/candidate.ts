import type { Child, Workshop } from '../workshop.ts';

/** What a proxy is to do. */
export interface Task {
  /** On 127.0.0.1. */
  readonly port: number;
  /** For an admin server, where there is one. */
  readonly adminPort: number;
  /** The ports of the backends, on 127.0.0.1 too. */
  readonly backends: readonly number[];
  /** In the candidate's own words; default: round robin. */
  readonly algorithm?: string | undefined;
  /** A list for `taskset -c`; null: any core. */
  readonly cores: string | null;
}

/** A proxy to be measured. */
export interface Candidate {
  readonly name: string;
  readonly threads: 1 | 2;
  /** The program it needs, which the Debian package of the same name has; without one it runs on Node alone. */
  readonly program?: string;
  /** The arguments that make the program tell its version. */
  readonly versionArgs?: readonly string[];
  /** Starts its process; that need not listen yet. */
  start(workshop: Workshop, task: Task): Promise<Child>;
}
