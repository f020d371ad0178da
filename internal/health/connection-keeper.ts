import type { HealthCheck } from '../model/health-check.ts';
import type { ProbeConnection } from './probe-connection.ts';

/** Every so many probes go over a new connection: whether the instance still accepts any is part of its health. */
const REQUESTS_PER_CONNECTION = 10;
/** Between probes that are farther apart, a connection would mostly be closed by the other side, in milliseconds. */
const LONGEST_INTERVAL_MS = 10_000;

/** Keeps the connection to one target between two probes: one at most. */
export class ConnectionKeeper {
  #connection: ProbeConnection | null = null;

  /** Whether a connection that has carried so many requests may carry another one after the next interval. */
  static mayKeep({ type, interval, reuseConnection }: HealthCheck, requests: number): boolean {
    return type !== 'tcp' && reuseConnection && interval <= LONGEST_INTERVAL_MS && requests < REQUESTS_PER_CONNECTION;
  }

  /** @returns null when there is none, or none that is still open. */
  take(): ProbeConnection | null {
    const connection = this.#connection;
    this.#connection = null;
    return connection?.isOpen === true ? connection : null;
  }

  keep(connection: ProbeConnection): void {
    this.close();
    this.#connection = connection;
    connection.release();
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }
}
