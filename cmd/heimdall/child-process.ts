import { type ChildProcess as Child, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { HeimdallError } from '../../internal/model/errors.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import {
  lives,
  type LivingProcess,
  living,
  type ProcessRegister,
  REGISTER_VARIABLE,
} from '../runtime/living-process.ts';
import { MessageSchema, type Ready } from '../runtime/messages.ts';
import { mainFile } from '../runtime/package-info.ts';

const FIRST_RESTART_MS = 500;
const LAST_RESTART_MS = 30_000;
/** A process that ran this long was well: its next restart waits no longer than the first. */
const WELL_AFTER_MS = 60_000;
/** Nobody tells of the end of a process that another one has started. */
const POLL_MS = 250;

/**
 * One of heimdall's own processes: in a group of its own, so that Ctrl-C reaches only the one that stops them in order.
 * A successor that it has started for itself takes its place here, too.
 */
export class ChildProcess {
  readonly #name: string;
  readonly #args: readonly string[];
  readonly #log: Logger;
  readonly #register: ProcessRegister;
  readonly #stopping = new AbortController();
  #child: Child | null = null;
  #exited: Promise<unknown> = Promise.resolve();
  #succeeded: Promise<unknown> = Promise.resolve();

  /** @param name - the folder of its main: `server-manager`, `load-balancer`. */
  constructor(name: string, args: readonly string[], log: Logger, register: ProcessRegister) {
    this.#name = name;
    this.#args = args;
    this.#log = log;
    this.#register = register;
  }

  /**
   * Resolves once the process is ready, and keeps it running from then on.
   * @throws when it ends before; it has told why on standard error.
   */
  async start(): Promise<Ready> {
    const ready = await this.#spawn();
    if (ready === null)
      throw new HeimdallError('COMMAND_FAILED', `the ${this.#name} could not start; its message stands above`);
    void this.#keepRunning();
    return ready;
  }

  /** Asks it to stop in order, and those that retire in its favour; kills them after the deadline. Resolves when they are gone. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    const others = (await this.#known()).filter(({ pid }) => pid !== child?.pid);
    const kill = (signal: NodeJS.Signals) => {
      child?.kill(signal);
      for (const { pid } of others) signalTo(pid, signal);
    };
    kill('SIGTERM');
    const deadline = setTimeout(() => kill('SIGKILL'), deadlineMs);
    await Promise.all([this.#exited, ...others.map(untilGone)]);
    clearTimeout(deadline);
  }

  /** Null when it ended before it was ready. */
  async #spawn(): Promise<Ready | null> {
    const child = spawn(process.execPath, [mainFile(this.#name), ...this.#args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
      env: { ...process.env, [REGISTER_VARIABLE]: this.#register.folder },
    });
    this.#child = child;
    const exited = once(child, 'exit')
      .catch((error: unknown) => this.#log.error({ process: this.#name, err: error }, `cannot run the ${this.#name}`))
      .finally(() => {
        if (this.#child === child) this.#child = null; // else it had retired, and its successor was replaced by us
      });
    this.#exited = exited;
    this.#succeeded = new Promise((resolve) => {
      child.on('message', (message) => {
        if (MessageSchema.safeParse(message).data?.type === 'succeeded') resolve(null);
      });
    });
    const ended = exited.then(() => null);
    const ready = once(child, 'message').then(
      ([message]) => {
        const told = MessageSchema.parse(message);
        return told.type === 'ready' ? told : ended;
      },
      () => ended, // it could not be spawned at all
    );
    return Promise.race([ready, ended]);
  }

  async #keepRunning(): Promise<void> {
    let restartMs = FIRST_RESTART_MS;
    while (!this.#stopping.signal.aborted) {
      const startedAt = performance.now();
      await Promise.race([this.#exited, this.#succeeded]);
      await this.#untilNobodyServes();
      if (this.#stopping.signal.aborted) return;
      if (performance.now() - startedAt > WELL_AFTER_MS) restartMs = FIRST_RESTART_MS;
      this.#log.error({ process: this.#name, restartMs }, `the ${this.#name} ended unexpectedly; starting it again`);
      await this.#pause(restartMs);
      restartMs = Math.min(restartMs * 2, LAST_RESTART_MS);
      if (!this.#stopping.signal.aborted) await this.#spawn();
    }
  }

  /** Looks after successors, of which nobody tells us. One that retires serves nobody new, and need not be waited for. */
  async #untilNobodyServes(): Promise<void> {
    let present: number | undefined;
    for (;;) {
      const serving = (await this.#known()).find(({ isRetiring }) => !isRetiring);
      if (serving === undefined || this.#stopping.signal.aborted) return;
      if (serving.pid !== present) {
        this.#log.info(
          { process: this.#name, successor: serving.pid },
          `the ${this.#name} is process ${serving.pid} now`,
        );
      }
      present = serving.pid;
      await this.#pause(POLL_MS);
    }
  }

  /** Ends early when this process stops. */
  async #pause(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /** All of this name that belong to this process, whoever started them. */
  async #known() {
    return this.#register.of(this.#name, await living(process.pid));
  }
}

async function untilGone(other: LivingProcess): Promise<void> {
  while (await lives(other)) await delay(POLL_MS);
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it is gone
  }
}
