import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from '../model/instance.ts';
import { type InstanceChange, isRegistryAway, type RegistryWriter } from '../registry/registry.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { insist } from './insist.ts';

const RETRY_MS = 200;

/**
 * The registry row of one instance as its supervisor writes it. Facts (`record`) count in memory at once and reach the
 * registry in order, as soon as it can be reached; decisions (`commit`) are taken only when the registry has them.
 */
export class InstanceRow {
  readonly #registry: RegistryWriter;
  readonly #log: Logger;
  readonly #unsent: InstanceChange[] = [];
  /** Aborted when the manager stops: nothing is tried again from then on. */
  readonly #stopping: AbortSignal;
  #instance: Instance;
  #turn: Promise<unknown> = Promise.resolve();
  #retrying = false;

  constructor(instance: Instance, registry: RegistryWriter, log: Logger, stopping: AbortSignal) {
    this.#instance = instance;
    this.#registry = registry;
    this.#log = log;
    this.#stopping = stopping;
  }

  /** With everything that was recorded, whether or not the registry has it yet. */
  get instance(): Instance {
    return this.#instance;
  }

  record(change: Omit<InstanceChange, 'desiredDelta'>): void {
    this.#instance = { ...this.#instance, ...change };
    this.#unsent.push(change);
    void this.#sendLater();
  }

  /**
   * Changes the row after everything recorded before.
   * @param permit - asked in its turn; what it throws changes nothing.
   * @returns the revision of the change.
   * @throws {HeimdallError} what `RegistryWriter.update` throws; nothing has changed then.
   */
  commit(
    { desiredDelta = 0, ...change }: InstanceChange,
    permit: (present: Instance) => void = () => {},
  ): Promise<number> {
    return this.#inTurn(async () => {
      await this.#send();
      permit(this.#instance);
      const { revision } = await this.#registry.update(this.#instance.id, { ...change, desiredDelta });
      this.#instance = { ...this.#instance, ...change };
      return revision;
    });
  }

  /** Deletes the row; while the registry cannot be reached it is tried again, until the manager stops. */
  remove(desiredDelta: number): Promise<void> {
    const removal = async () => {
      this.#unsent.length = 0;
      await this.#registry.remove(this.#instance.id, desiredDelta);
    };
    return insist(() => this.#inTurn(removal), this.#stopping);
  }

  /** Resolves when what was recorded so far was sent, or could not be. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #sendLater(): Promise<void> {
    try {
      await this.#inTurn(() => this.#send());
    } catch {
      if (this.#retrying || this.#stopping.aborted) return;
      this.#retrying = true;
      await sleep(RETRY_MS, undefined, { signal: this.#stopping }).catch(() => {});
      this.#retrying = false;
      await this.#sendLater();
    }
  }

  /** @throws {HeimdallError} REGISTRY_UNAVAILABLE; the changes from that one on stay unsent. */
  async #send(): Promise<void> {
    for (let change = this.#unsent[0]; change; change = this.#unsent[0]) {
      try {
        await this.#registry.update(this.#instance.id, change);
      } catch (error) {
        if (isRegistryAway(error)) throw error;
        // Trying again would not help, and what follows must not wait for it.
        this.#log.error({ instance: this.#instance.id, change, err: error }, 'the registry refuses a change');
      }
      this.#unsent.shift();
    }
  }
}
