import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { HeimdallError } from '../../internal/model/errors.ts';
import { Inheritance, type Offer } from './inheritance.ts';
import type { LivingProcess } from './living-process.ts';
import { GO, type Message, MessageSchema } from './messages.ts';

/** How long a successor may take until it is ready, or prepared. */
const DEADLINE_MS = 60_000;
/** Standard input, output and error, and the channel. */
const FIRST_SOCKET = 4;

/** A process that is about to take this one's place, started with the same command line on what is installed now. */
export class Successor {
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
  }

  /**
   * Resolves when it has told that it is so far; until then nothing has changed, and a failure leaves nothing behind.
   * @throws {HeimdallError} RELOAD_FAILED with the reason.
   */
  static async start(
    offers: readonly Offer[],
    starter: LivingProcess | null,
    until: 'ready' | 'prepared',
  ): Promise<Successor> {
    const sockets = offers.flatMap((offer) => offer.sockets);
    let next = FIRST_SOCKET;
    const renumbered = offers.map((offer) => ({ ...offer, sockets: offer.sockets.map(() => next++) }));
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      detached: true,
      env: { ...process.env, ...Inheritance.asVariable({ starter, offers: renumbered }) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...sockets],
    });
    const successor = new Successor(child);
    try {
      await successor.until(until);
      return successor;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** It may begin. */
  go(): void {
    this.#child.send(GO);
  }

  /** @throws {HeimdallError} RELOAD_FAILED */
  async until(type: 'ready' | 'prepared'): Promise<void> {
    const over = new AbortController();
    try {
      await Promise.race([this.#tells(type, over.signal), this.#ends(over.signal), tooLate(over.signal)]);
    } finally {
      over.abort();
    }
  }

  /** It stands on its own feet: nothing here waits for it any more. */
  letGo(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }

  async #tells(type: Message['type'], signal: AbortSignal): Promise<void> {
    for (;;) {
      const [message] = await once(this.#child, 'message', { signal });
      const told = MessageSchema.parse(message);
      if (told.type === 'failed') throw failed(told.reason);
      if (told.type === type) return;
    }
  }

  async #ends(signal: AbortSignal): Promise<never> {
    const [code, by] = await once(this.#child, 'exit', { signal });
    throw failed(`it ended with ${by ?? `code ${code}`}; its output is in the log`);
  }
}

async function tooLate(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => reject(failed(`it was not ready within ${DEADLINE_MS / 1_000} s`)), DEADLINE_MS);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}

function failed(reason: string): HeimdallError {
  return new HeimdallError('RELOAD_FAILED', `the new process could not take over, and this one goes on: ${reason}`);
}
