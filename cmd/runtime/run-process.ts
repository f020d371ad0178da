import { ConfigError } from '../../internal/config/problem.ts';
import { HeimdallError, messageOf } from '../../internal/model/errors.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import type { Inheritance } from './inheritance.ts';
import { lives, type LivingProcess, living, ProcessRegister, REGISTER_VARIABLE } from './living-process.ts';
import type { Message, Ready } from './messages.ts';

/** A started process as the runtime sees it. */
export interface Running {
  readonly log: Logger;
  readonly addresses: Ready['addresses'];
  /** Ends everything in order; resolves when nothing of it is left. */
  stop(): Promise<void>;
  /** Resolves when a successor has taken over; rejects when it could not, and this process has given up already. */
  readonly succeeded?: Promise<void>;
  /** Finishes what only this process can, for a successor; `stop` may come on top. */
  retire?(): Promise<void>;
}

/** How a process of ours is known to the others. */
export interface RunOptions {
  /** The folder of its main. */
  readonly name: string;
  readonly inheritance: Inheritance;
}

/** Between two looks whether the process that we belong to still runs, in milliseconds. */
const STARTER_POLL_MS = 1_000;

/** Ctrl-C reaches every process of a terminal's group, and `npm start` passes it on once more: both are one wish. */
const SAME_WISH_MS = 500;

/**
 * Starts a process and keeps it until SIGINT, SIGTERM, the end of its terminal, or the end of the process that started
 * it; then stops it in order. A second signal ends it at once. A start that fails says why in a few words.
 */
export async function runProcess(
  start: (starter: LivingProcess | null) => Promise<Running>,
  options?: RunOptions,
): Promise<void> {
  const starter = await starterOf(options?.inheritance);
  const stopRequested = waitForStop(options?.inheritance);
  let running: Running;
  try {
    running = await start(starter);
  } catch (error) {
    const reason = describeFailure(error);
    process.stderr.write(`heimdall: ${reason}\n`);
    await tellStarter({ type: 'failed', reason });
    process.exit(1);
  }
  process.on('uncaughtException', (error) => crash(running.log, error));
  const entry = new Presence(running.log, starter, options?.name);
  await entry.show(false);
  void tellStarter({ type: 'ready', addresses: running.addresses });
  try {
    const reason = await Promise.race([stopRequested, running.succeeded ?? stopRequested]);
    running.log.info({ reason: reason ?? 'a successor has taken over' }, 'stopping');
    if (reason === undefined) {
      await entry.show(true);
      void tellStarter({ type: 'succeeded' });
      await Promise.race([running.retire?.(), stopRequested.then(() => running.stop())]);
    } else {
      await running.stop();
    }
    await entry.remove();
    running.log.info('stopped');
  } catch (error) {
    running.log.error({ err: error }, 'could not stop in order');
    process.exitCode = 1;
  }
  process.exit();
}

/** The `heimdall up` that this process belongs to. */
async function starterOf(inheritance: Inheritance | undefined): Promise<LivingProcess | null> {
  if (inheritance?.isSuccessor) return inheritance.starter;
  return process.send ? living(process.ppid).catch(() => null) : null;
}

/** What `heimdall up` knows of this process, so that it looks after it although another process has started it. */
class Presence {
  readonly #log: Logger;
  readonly #starter: LivingProcess | null;
  readonly #name: string;
  readonly #register: ProcessRegister | null;

  constructor(log: Logger, starter: LivingProcess | null, name = '') {
    const folder = process.env[REGISTER_VARIABLE];
    this.#log = log;
    this.#starter = starter;
    this.#name = name;
    this.#register = folder === undefined || name === '' ? null : new ProcessRegister(folder);
  }

  async show(isRetiring: boolean): Promise<void> {
    try {
      await this.#register?.enter(this.#name, this.#starter, isRetiring);
    } catch (error) {
      this.#log.warn(
        { err: error },
        'heimdall up cannot be told of this process: after a reload it would look after nobody',
      );
    }
  }

  async remove(): Promise<void> {
    await this.#register?.leave(this.#name);
  }
}

function waitForStop(inheritance: Inheritance | undefined): Promise<string> {
  return new Promise((resolve) => {
    let askedAt = Number.POSITIVE_INFINITY;
    const stop = (reason: string) => {
      if (performance.now() - askedAt > SAME_WISH_MS) process.exit(130);
      askedAt = Math.min(askedAt, performance.now());
      resolve(reason);
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    if (process.stdout.isTTY) process.on('SIGHUP', stop);
    // Started by `heimdall up`: when that is gone, however it went, nobody else would stop us.
    const orphaned = () => resolve('the starting process is gone');
    if (inheritance?.isSuccessor) {
      if (inheritance.starter !== null) void watch(inheritance.starter, orphaned);
      return; // the channel is that of the predecessor, whose end is no reason
    }
    process.on('disconnect', orphaned);
    if (process.send && !process.connected) orphaned(); // it went while our modules were being loaded
  });
}

async function watch(starter: LivingProcess, onGone: () => void): Promise<void> {
  if (!(await lives(starter))) onGone();
  else setTimeout(() => void watch(starter, onGone), STARTER_POLL_MS).unref();
}

/** Says nothing when there is nobody to be told, or nobody any more. Resolves when it is said. */
async function tellStarter(message: Message): Promise<void> {
  if (!process.connected) return;
  await new Promise<void>((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
}

/** What people can act on needs no stack; what they cannot is a fault of ours. */
function describeFailure(error: unknown): string {
  const expected = error instanceof ConfigError || error instanceof HeimdallError || !(error instanceof Error);
  return expected || !error.stack ? messageOf(error) : error.stack;
}

function crash(log: Logger, error: unknown): never {
  log.fatal({ err: error }, 'crashed');
  process.exit(1);
}
