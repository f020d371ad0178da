import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const STOP_MS = 3_000;
const KEPT_OUTPUT = 4_000;

export interface SpawnOptions {
  /** A list for `taskset -c`; null: any core. */
  readonly cores: string | null;
  readonly env?: Readonly<Record<string, string>>;
  /** With a channel for messages, which Node programs understand. */
  readonly channel?: boolean;
}

/** A process of the benchmark. */
export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** The end of what it has written. */
  readonly output: string;
  readonly running: boolean;
  /** Resolves when it is gone and all of its output is here. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** The temporary folder and the processes of a run: all are gone once it is disposed of, however the run ended. */
export class Workshop implements AsyncDisposable {
  readonly folder: string;
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal;
  readonly #stopMs: number;
  readonly #children = new Set<Child>();

  private constructor(folder: string, signal: AbortSignal, stopMs: number) {
    this.folder = folder;
    this.signal = signal;
    this.#stopMs = stopMs;
    // Whoever waits for one of them goes on, and learns from the signal why.
    signal.addEventListener('abort', () => void this.#stopAll());
  }

  /** @param stopMs - from SIGTERM to SIGKILL. */
  static async open(signal: AbortSignal, stopMs = STOP_MS): Promise<Workshop> {
    return new Workshop(await mkdtemp(join(tmpdir(), 'heimdall-bench-')), signal, stopMs);
  }

  /** @returns the path of a new file in the temporary folder. */
  async file(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, content);
    return path;
  }

  /** @throws {Error} when the run is ending, or the program cannot be started. */
  async spawn(command: readonly string[], { cores, env = {}, channel = false }: SpawnOptions): Promise<Child> {
    this.signal.throwIfAborted();
    const [program = '', ...args] = cores === null ? command : ['taskset', '-c', cores, ...command];
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', ...(channel ? (['ipc'] as const) : [])];
    // A group of its own: Ctrl-C reaches the benchmark alone, which then ends what it has started.
    const started = spawn(program, args, {
      cwd: this.folder,
      // Nothing else: variables such as LOAD_BALANCER_PORT would reach the candidates.
      env: { PATH: process.env['PATH'], HOME: this.folder, ...env },
      stdio,
      detached: true,
    });
    const child = new WorkshopChild(started, this.#stopMs, () => this.#children.delete(child));
    this.#children.add(child);
    await once(started, 'spawn');
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopAll();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #stopAll(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.stop()));
  }
}

class WorkshopChild implements Child {
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
  readonly #stopMs: number;
  #output = '';

  constructor(child: ChildProcess, stopMs: number, onEnd: () => void) {
    this.process = child;
    this.#stopMs = stopMs;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
      });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    // An `error` without a pid: it never was; `close` rather than `exit`: its output is complete then.
    child.once('error', () => resolve()).once('close', () => resolve());
    void promise.then(onEnd);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(): Promise<void> {
    this.process.kill('SIGTERM');
    const overdue = sleep(this.#stopMs, true, { ref: false });
    if (await Promise.race([this.ended, overdue])) killGroup(this.pid);
    await this.ended;
  }
}

function killGroup(pid: number): void {
  if (pid === 0) return; // it never was, and 0 means our own group
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It went in this very moment.
  }
}
