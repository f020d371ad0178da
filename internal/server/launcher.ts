import { dirname } from 'node:path';
import { HeimdallError } from '../model/errors.ts';
import type { Service } from '../model/service.ts';
import { accountOf } from './account.ts';
import { isPortFree } from './bind-probe.ts';
import { launchPlan } from './launch-plan.ts';
import { outputPaths } from './log-tail.ts';
import { PortClashError, untilReady } from './readiness-gate.ts';
import type { InstanceRow } from './row.ts';
import type { RunningProcess } from './running-process.ts';
import { newToken, spawnProcess } from './spawner.ts';
import type { SupervisorContext } from './supervisor-context.ts';

/** How often one start may go to another port because a program has bound the present one. */
const MAX_PORT_MOVES = 3;

/** Starts the processes of one instance, one at a time, and ends them. */
export class Launcher {
  readonly #row: InstanceRow;
  readonly #context: SupervisorContext;
  #process: RunningProcess | null = null;

  constructor(row: InstanceRow, context: SupervisorContext) {
    this.#row = row;
    this.#context = context;
  }

  get process(): RunningProcess | null {
    return this.#process;
  }

  adopt(process: RunningProcess): void {
    this.#process = process;
  }

  /**
   * Starts the process, unless one runs already, and resolves once it is ready. When another program has the port, the row
   * moves to another one, up to three times.
   * @param fixedPort - never move.
   * @throws {HeimdallError} COMMAND_FAILED, INSTANCE_EXITED, INSTANCE_NOT_READY, PORT_TAKEN (only with `fixedPort`),
   * NO_FREE_PORT: nothing of the process group remains.
   * @throws the signal's reason when it is aborted: a process may be left to end.
   */
  async bringUp(service: Service, fixedPort: boolean, signal: AbortSignal): Promise<void> {
    const refused = new Set<number>();
    for (let moves = 0; ; moves += 1) {
      try {
        return await this.#tryPort(service, signal);
      } catch (error) {
        signal.throwIfAborted();
        await this.stop(service);
        if (!(error instanceof PortClashError) || moves === MAX_PORT_MOVES) throw error;
        if (fixedPort) throw new HeimdallError('PORT_TAKEN', error.message, error.context, { cause: error });
        await this.#moveFrom(this.#row.instance.port, refused);
      }
    }
  }

  /** Ends the process group as its service says: a signal, and SIGKILL when that was not heeded in time. */
  stop({ stopTimeout, stopSignal }: Service): Promise<void> {
    return this.#end(stopTimeout, stopSignal);
  }

  /** Ends whatever is left of the process group at once. */
  kill(): Promise<void> {
    return this.#end(0, 'SIGKILL');
  }

  async #end(graceMs: number, signal: NodeJS.Signals): Promise<void> {
    const process = this.#process;
    if (process === null) return;
    if (!(await process.stop(graceMs, signal))) {
      this.#context.log.error(
        { instance: this.#row.instance.id, pid: process.identity.pid },
        'the process outlives SIGKILL',
      );
    }
    process.release();
    this.#process = null;
  }

  /** Lets the process run on without us. */
  release(): void {
    this.#process?.release();
    this.#process = null;
  }

  async #tryPort(service: Service, signal: AbortSignal): Promise<void> {
    this.#process ??= await this.#spawn(service, signal);
    await untilReady({ instance: this.#row.instance, service, process: this.#process }, signal);
  }

  async #spawn(service: Service, signal: AbortSignal): Promise<RunningProcess> {
    const { instance } = this.#row;
    const { baseEnv, logDir, clock } = this.#context;
    if (!(await isPortFree(instance.port, instance.host))) {
      throw new PortClashError('PORT_TAKEN', `port ${instance.port} of ${instance.id} is bound by another program`);
    }
    signal.throwIfAborted();
    const token = newToken();
    const account = service.runAs === null ? null : await accountOf(service.runAs);
    const plan = launchPlan(instance, service, token, baseEnv, dirname(process.execPath), account);
    const child = await spawnProcess(plan, token, outputPaths(logDir, instance.id), clock);
    // Even when this is being ended meanwhile: a process that no row tells of could not be found again.
    this.#row.record({ process: child.identity, startedAt: child.startedAt });
    return child;
  }

  async #moveFrom(port: number, refused: Set<number>): Promise<void> {
    refused.add(port);
    await this.#context.ports.move(this.#row.instance, refused, (next) =>
      this.#row.commit({ port: next, process: null }),
    );
    const { id, port: next } = this.#row.instance;
    this.#context.log.warn({ instance: id, from: port, to: next }, 'another program has the port: trying the next');
  }
}
