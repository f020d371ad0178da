import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './e2e-wait.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Compiled code of earlier runs: halves the time that a process needs to start. */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'e2e') };
/** Ends the backend with the test, however the test ends; heimdall's own processes watch this channel by themselves. */
const LEASH = "process.on('disconnect', () => process.exit(0)); await import(process.argv[1]);";

interface ProcessOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The main file of one of this repository's processes. */
export function mainOf(name: 'heimdall' | 'server-manager' | 'load-balancer' | 'test-server'): string {
  return join(ROOT, 'cmd', name, 'main.ts');
}

/** A process that a test has started, in a group of its own. */
export class StartedProcess {
  readonly pid: number;
  /** Resolves when neither it nor any process that writes to the same output runs any more. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #output = '';
  #closed = false;
  #ready = false;

  constructor([program, ...args]: readonly [string, ...string[]], { cwd, env = {} }: ProcessOptions) {
    this.#child = spawn(program, args, {
      cwd,
      env: { PATH: process.env['PATH'], HOME: cwd, ...COMPILE_CACHE, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.pid = this.#child.pid ?? 0;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#child.once('message', () => {
      this.#ready = true;
    });
    // `close`, not `exit`: the output is complete then.
    this.exited = once(this.#child, 'close').then(([code, signal]) => {
      this.#closed = true;
      return { code, signal };
    });
  }

  /** A sample backend that nobody supervises. */
  static backend(port: number, options: ProcessOptions): StartedProcess {
    const env = { PORT: String(port), ...options.env };
    return new StartedProcess([process.execPath, '--input-type=module', '-e', LEASH, mainOf('test-server')], {
      ...options,
      env,
    });
  }

  /** Standard output and standard error so far. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As the terminal does it for Ctrl-C. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  /** Resolves when the output holds the text; rejects when the process ends without it. */
  async printed(text: string | RegExp): Promise<void> {
    const found = () => (typeof text === 'string' ? this.#output.includes(text) : text.test(this.#output));
    await eventually(
      () => `printed ${text}; so far:\n${this.#output}`,
      () => found() || this.#closed,
    );
    if (!found()) throw new Error(`ended without printing ${text}:\n${this.#output}`);
  }

  /** Resolves when it has told, as it does to `heimdall up`, that its start is finished; rejects when it ends before. */
  async isReady(): Promise<void> {
    await eventually(
      () => `ready; so far:\n${this.#output}`,
      () => this.#ready || this.#closed,
    );
    if (!this.#ready) throw new Error(`ended before it was ready:\n${this.#output}`);
  }

  /** SIGTERM, unless it has ended; null when it is not gone within the limit. */
  async stop(limitMs = 60_000): Promise<Exit | null> {
    this.kill('SIGTERM');
    const limit = new AbortController();
    const overdue = sleep(limitMs, null, { signal: limit.signal }).catch(() => null); // rejects when it is over
    const exit = await Promise.race([this.exited, overdue]);
    limit.abort();
    return exit;
  }
}

/**
 * Whether a process of this run lives under the pid: all of them have the run's folder as HOME, whoever started them.
 * Where that cannot be read, none is taken for ours.
 */
export function livesIn(pid: number, home: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`HOME=${home}`); // a zombie has none
  } catch {
    return false;
  }
}
