import type { Alert, AlertSink } from '../../pkg/alerts/alert.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { messageOf } from '../model/errors.ts';
import type { Leadership } from './leader.ts';
import { HEARTBEAT_LIMIT_MS } from './registry.ts';

const UNAVAILABLE_KEY = 'registry-unavailable';
const READ_ONLY_KEY = 'registry-read-only';

export interface RegistryAlarmOptions {
  readonly alerts: AlertSink;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Tells people that a load balancer cannot read its registry, or cannot write its reports there, and when that is over. The registry is
 * everybody's: of the load balancers that miss it, the one that speaks for all tells.
 */
export class RegistryAlarm {
  readonly #options: RegistryAlarmOptions;
  readonly #leadership: Pick<Leadership, 'speaks'>;
  /** Until this load balancer is to speak; by key. */
  readonly #untold = new Map<string, Alert>();
  #isReadable = true;
  /** When the registry began to refuse reports, in epoch milliseconds. */
  #refusedSince: number | null = null;
  /** Refused for so long that people were told. */
  #isReadOnly = false;

  constructor(options: RegistryAlarmOptions, leadership: Pick<Leadership, 'speaks'>) {
    this.#options = options;
    this.#leadership = leadership;
  }

  /** Whether the registry can be read, and takes reports. */
  get isAvailable(): boolean {
    return this.#isReadable && !this.#isReadOnly;
  }

  /** To be called with every heartbeat: who speaks may be another one by now. */
  look(): void {
    if (!this.#leadership.speaks) return;
    for (const alert of this.#untold.values()) this.#options.alerts.raise(alert);
    this.#untold.clear();
  }

  read(): void {
    if (this.#isReadable) return;
    this.#isReadable = true;
    this.#resolve(UNAVAILABLE_KEY);
    this.#options.log.info('the registry is back');
  }

  readFailed(error: unknown): void {
    if (!this.#isReadable) return;
    this.#isReadable = false;
    const { log, now } = this.#options;
    log.error({ err: error }, 'the registry cannot be read; the last picture stays in force');
    this.#raise({
      key: UNAVAILABLE_KEY,
      severity: 'critical',
      title: 'The registry cannot be read',
      cause: `${messageOf(error)}. Traffic goes on over the instances known so far; changes are not noticed.`,
      at: now(),
    });
  }

  reported(): void {
    this.#refusedSince = null;
    if (!this.#isReadOnly) return;
    this.#isReadOnly = false;
    this.#resolve(READ_ONLY_KEY);
    this.#options.log.info('the registry takes reports again');
  }

  /** A short lock is nothing to tell; one that outlasts the heartbeat makes the manager take us for dead. */
  reportFailed(error: unknown): void {
    const { log, now } = this.#options;
    log.debug({ err: error }, 'the registry took no report; the next heartbeat tries again');
    this.#refusedSince ??= now();
    if (!this.isAvailable || now() - this.#refusedSince <= HEARTBEAT_LIMIT_MS) return;
    this.#isReadOnly = true;
    log.error({ err: error }, 'the registry takes no reports; drains do not wait for this load balancer');
    this.#raise({
      key: READ_ONLY_KEY,
      severity: 'critical',
      title: 'The registry cannot be written',
      cause: `${messageOf(error)}. Traffic goes on; removing an instance may lose requests.`,
      at: now(),
    });
  }

  #raise(alert: Alert): void {
    this.#untold.set(alert.key, alert);
    this.look();
  }

  #resolve(key: string): void {
    const { alerts, now } = this.#options;
    if (!this.#untold.delete(key)) alerts.resolve(key, now());
  }
}
