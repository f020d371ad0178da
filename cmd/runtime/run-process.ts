import { ConfigError } from '../../internal/config/problem.ts';
import { HeimdallError, messageOf } from '../../internal/model/errors.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import type { Ready } from './messages.ts';

/** A started process as the runtime sees it. */
export interface Running {
  readonly log: Logger;
  readonly addresses: Ready['addresses'];
  /** Ends everything in order; resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/** Ctrl-C reaches every process of a terminal's group, and `npm start` passes it on once more: both are one wish. */
const SAME_WISH_MS = 500;

/**
 * Starts a process and keeps it until SIGINT, SIGTERM, the end of its terminal, or the end of the process that started
 * it; then stops it in order. A second signal ends it at once. A start that fails says why in a few words.
 */
export async function runProcess(start: () => Promise<Running>): Promise<void> {
  const stopRequested = waitForStop();
  let running: Running;
  try {
    running = await start();
  } catch (error) {
    process.stderr.write(`heimdall: ${describeFailure(error)}\n`);
    process.exit(1);
  }
  process.on('uncaughtException', (error) => crash(running.log, error));
  tellStarter({ type: 'ready', addresses: running.addresses });
  const reason = await stopRequested;
  running.log.info({ reason }, 'stopping');
  try {
    await running.stop();
    running.log.info('stopped');
  } catch (error) {
    running.log.error({ err: error }, 'could not stop in order');
    process.exitCode = 1;
  }
  process.exit();
}

function waitForStop(): Promise<string> {
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
    process.on('disconnect', orphaned);
    if (process.send && !process.connected) orphaned(); // it went while our modules were being loaded
  });
}

/** Says nothing when there is nobody to be told, or nobody any more. */
function tellStarter(message: Ready): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
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
