import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { HeimdallError, messageOf } from '../../internal/model/errors.ts';
import { Inheritance, type InheritedRegistry, type Offer } from './inheritance.ts';
import { GO, type Message, MessageSchema } from './messages.ts';

/** How long a successor may take until it is ready, or prepared. */
const DEADLINE_MS = 60_000;
/** Standard input, output and error, and the channel. */
const FIRST_SOCKET = 4;

/** A process that is about to take this one's place, started with the same command line on what is installed now. */
export class Successor {
  readonly pid: number;
  readonly #child: ChildProcess;
  /** How it ended, in words. */
  readonly #exited: Promise<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.#exited = once(child, 'exit').then(
      ([code, by]) => `it ended with ${by ?? `code ${code}`}; its output is in the log`,
      (error: unknown) => `it cannot be run (${messageOf(error)})`,
    );
  }

  /**
   * Resolves when it has told that it is so far; until then nothing has changed, and a failure leaves nothing behind.
   * @param own - what this process has inherited itself, and where its registry is.
   * @param unwanted - aborted when this process is to end: nobody is to take its place then.
   * @throws {HeimdallError} RELOAD_FAILED with the reason.
   */
  static async start(
    offers: readonly Offer[],
    own: Pick<Inheritance, 'relayKey' | 'starter'> & { readonly registry: InheritedRegistry },
    until: 'ready' | 'prepared',
    unwanted: AbortSignal,
  ): Promise<Successor> {
    const sockets = offers.flatMap((offer) => offer.sockets);
    let next = FIRST_SOCKET;
    const { relayKey, starter, registry } = own;
    const renumbered = offers.map((offer) => ({ ...offer, sockets: offer.sockets.map(() => next++) }));
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      detached: true,
      env: {
        ...process.env,
        ...Inheritance.asVariable({ starter, relayKey, registry, offers: renumbered }),
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...sockets],
    });
    const successor = new Successor(child);
    try {
      await successor.until(until, unwanted);
    } catch (error) {
      throw new HeimdallError('RELOAD_FAILED', `${messageOf(error)}; this process goes on`);
    }
    return successor;
  }

  /** It may begin. */
  go(): void {
    this.#child.send(GO, () => {}); // whether it is still there to hear it, `until` tells
  }

  /** @throws {HeimdallError} RELOAD_FAILED; it is gone then. */
  async until(type: 'ready' | 'prepared', unwanted?: AbortSignal): Promise<void> {
    const over = new AbortController();
    const { signal } = over;
    try {
      await Promise.race([this.#tells(type, signal), this.#ends(), tooLate(signal), isUnwanted(unwanted, signal)]);
    } catch (error) {
      await this.kill();
      throw error;
    } finally {
      over.abort();
    }
  }

  /** It is to end in order, too. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
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

  async #ends(): Promise<never> {
    throw failed(await this.#exited);
  }
}

async function tooLate(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => reject(failed(`it was not ready within ${DEADLINE_MS / 1_000} s`)), DEADLINE_MS);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}

async function isUnwanted(unwanted: AbortSignal | undefined, signal: AbortSignal): Promise<never> {
  if (unwanted === undefined) return new Promise<never>(() => {});
  if (!unwanted.aborted) await once(unwanted, 'abort', { signal });
  throw failed('this process is to end');
}

function failed(reason: string): HeimdallError {
  return new HeimdallError('RELOAD_FAILED', `the new process could not take over: ${reason}`);
}
