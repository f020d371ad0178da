import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import { livesIn, type StartedProcess } from '../support/e2e-process.ts';
import { eventually } from '../support/e2e-wait.ts';

const ReloadSchema = z.object({ pid: z.int(), successor: z.int() });

/** One of heimdall's processes, whichever it is at present: it may be killed, started again, and replaced by another one. */
export class MovingProcess {
  readonly #start: () => StartedProcess;
  readonly #home: string;
  readonly #reloadUrl: string;
  readonly #retired: number[] = [];
  #pid = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param reloadUrl - asks it to have another one take its place. @param home - of all processes of the run. */
  constructor(start: () => StartedProcess, reloadUrl: string, home: string) {
    this.#start = start;
    this.#reloadUrl = reloadUrl;
    this.#home = home;
  }

  async start(): Promise<void> {
    const started = this.#start();
    await started.isReady();
    this.#pid = started.pid;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  /** SIGKILL, and another one. */
  killAndStart(): Promise<void> {
    return this.#inTurn(async () => {
      this.signal('SIGKILL');
      await this.#isGone(this.#pid);
      await this.start();
    });
  }

  reload(): Promise<void> {
    return this.#inTurn(async () => {
      const { status, body } = await ask(this.#reloadUrl, { method: 'POST' });
      if (status !== 200) throw new Error(`reload: ${status} ${body}`);
      const { successor } = ReloadSchema.parse(JSON.parse(body));
      this.#retired.push(this.#pid);
      this.#pid = successor;
    });
  }

  /** Resolves when it has ended, and all that it replaced. */
  async stop(): Promise<void> {
    const all = [this.#pid, ...this.#retired].filter((pid) => livesIn(pid, this.#home));
    for (const pid of all) process.kill(pid, 'SIGTERM');
    await Promise.all(all.map((pid) => this.#isGone(pid)));
  }

  #isGone(pid: number): Promise<boolean> {
    return eventually(`process ${pid} has ended`, () => !livesIn(pid, this.#home), 60_000);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}
