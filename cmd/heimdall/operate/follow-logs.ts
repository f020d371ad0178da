import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../../internal/client/client.ts';
import { HeimdallApiError, HeimdallConnectionError } from '../../../internal/client/errors.ts';
import type { InstanceView } from '../../../internal/model/instance-view.ts';
import type { LogLine, LogStream } from '../../../internal/model/log-line.ts';
import type { LogChoice } from './log-choice.ts';

const LOOK_MS = 1_000;

/** What is told while logs are followed. */
export interface LogTeller {
  joined(instance: string): void;
  line(instance: string, line: LogLine): Promise<void>;
  left(instance: string): void;
  /** The manager cannot be reached, and is tried again; lines may be missing. */
  lost(): void;
}

export interface LogWishes {
  readonly lines: number;
  readonly stream: LogStream | undefined;
  /** Between two looks whether instances have come, in milliseconds. */
  readonly lookMs?: number;
}

/** Follows the logs of all instances that are chosen, those that come included. */
export class LogFollower {
  readonly #client: Pick<Client, 'servers'>;
  readonly #choice: LogChoice;
  readonly #wishes: LogWishes;
  readonly #teller: LogTeller;
  /** Those whose log is being read. */
  readonly #read = new Set<string>();
  /** Those whose log has been read before: what they wrote until then is known. */
  readonly #known = new Set<string>();
  /** Those that heimdall does not run: it has no logs of them. */
  readonly #mute = new Set<string>();
  #failure: Error | null = null;

  constructor(client: Pick<Client, 'servers'>, choice: LogChoice, wishes: LogWishes, teller: LogTeller) {
    this.#client = client;
    this.#choice = choice;
    this.#wishes = wishes;
    this.#teller = teller;
  }

  /** Until the signal; of one instance, until that is gone. A manager that is away for a while is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    let isLost = false;
    while (!signal.aborted) {
      try {
        const chosen = this.#choice.of(await this.#client.servers.list({ signal }));
        isLost = false;
        this.#update(chosen, signal);
        if (this.#choice.isOne && chosen.length === 0 && this.#read.size === 0) return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof HeimdallConnectionError)) throw error;
        if (!isLost) this.#teller.lost();
        isLost = true;
      }
      await sleep(this.#wishes.lookMs ?? LOOK_MS, undefined, { signal }).catch(() => {});
      if (this.#failure !== null) throw this.#failure;
    }
  }

  #update(chosen: readonly Pick<InstanceView, 'id'>[], signal: AbortSignal): void {
    const ids = new Set(chosen.map(({ id }) => id));
    for (const id of ids) if (!this.#read.has(id) && !this.#mute.has(id)) void this.#follow(id, signal);
    for (const id of this.#known) {
      if (ids.has(id) || this.#read.has(id)) continue;
      this.#known.delete(id);
      this.#teller.left(id);
    }
  }

  async #follow(id: string, signal: AbortSignal): Promise<void> {
    const isNew = !this.#known.has(id);
    const { lines, stream } = this.#wishes;
    this.#read.add(id);
    try {
      if (isNew) this.#teller.joined(id);
      this.#known.add(id);
      for await (const line of this.#client.servers.followLogs(id, { lines: isNew ? lines : 0, stream, signal }))
        await this.#teller.line(id, line);
    } catch (error) {
      this.#endOf(id, error);
    } finally {
      this.#read.delete(id);
    }
  }

  /** What cannot be mended by another try ends it all; an instance that went while we asked is none of that. */
  #endOf(id: string, error: unknown): void {
    if (error instanceof HeimdallConnectionError) return;
    const { code } = error instanceof HeimdallApiError ? error : { code: '' };
    if (code === 'NOT_SPAWNED' && !this.#choice.isOne) this.#mute.add(id);
    else if (code !== 'INSTANCE_NOT_FOUND') this.#failure = error instanceof Error ? error : new Error(String(error));
  }
}
