import type { EventType } from '../model/event.ts';
import type { Instance } from '../model/instance.ts';
import type { RegistryWriter } from '../registry/registry.ts';
import { EventCounts } from './event-counts.ts';
import type { Logger } from '../../pkg/logger/logger.ts';

/** What events are about: an instance, a service (then `id` is null), or the manager itself (null). */
type Subject = { readonly id: Instance['id'] | null; readonly service: string } | null;

/** Who did what. */
export interface AuditRecord {
  readonly subject: Subject;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Keeps what happened, in order, as events in the registry and as log lines. Never in the way: an event that cannot be kept is only logged. */
export class Journal {
  readonly #registry: RegistryWriter;
  readonly #log: Logger;
  readonly #clock: () => number;
  /** Of services. */
  readonly counts = new EventCounts();
  #turn: Promise<void> = Promise.resolve();

  /** @param clock - epoch milliseconds. */
  constructor(registry: RegistryWriter, log: Logger, clock: () => number) {
    this.#registry = registry;
    this.#log = log;
    this.#clock = clock;
  }

  record(type: EventType, subject: Subject, message: string, data: Readonly<Record<string, unknown>> = {}): void {
    const event = {
      at: this.#clock(),
      type,
      service: subject?.service ?? null,
      instanceId: subject?.id ?? null,
      message,
      data,
    };
    this.#log.info({ event: type, service: event.service, instance: event.instanceId }, message);
    if (event.service !== null) this.counts.count(event.service, type);
    this.#turn = this.#turn
      .then(() => this.#registry.recordEvent(event))
      .catch((error: unknown) => this.#log.warn({ event: type, err: error }, 'the event could not be kept'));
  }

  /** Resolves when everything recorded so far was kept, or could not be. */
  async settled(): Promise<void> {
    await this.#turn;
  }
}
