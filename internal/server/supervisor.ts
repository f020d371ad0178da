import { setTimeout as sleep } from 'node:timers/promises';
import { HeimdallError, messageOf } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import type { InstanceChange } from '../registry/registry.ts';
import { abortable } from './abortable.ts';
import { type DrainSpan, waitUntilDrained } from '../registry/drain.ts';
import { type Fault, FaultAlarm } from './fault-alarm.ts';
import { Launcher } from './launcher.ts';
import { logTailOf } from './log-tail.ts';
import { InstanceRow } from './row.ts';
import { describeExit, inSeconds, type RunningProcess } from './running-process.ts';
import { type SupervisorContext, shuttingDown } from './supervisor-context.ts';

export interface RemoveOptions {
  /** Skips the wait for requests in flight; the route is gone first all the same. */
  readonly force: boolean;
  /** Added to the desired count of the service. */
  readonly desiredDelta: number;
  /** Goes on even when the registry cannot be told: the process must not stay. */
  readonly evenUnmarked: boolean;
}

/**
 * Keeps one instance alive: brings it up, watches it, brings it up again, and finally removes it. Everything that happens
 * to its row and its process happens here.
 */
export class Supervisor {
  readonly id: string;
  readonly #context: SupervisorContext;
  readonly #row: InstanceRow;
  readonly #launcher: Launcher;
  readonly #alarm: FaultAlarm;
  /** Aborted when the instance is removed or let go: supervision is over then. */
  readonly #ending = new AbortController();
  #service: Service;
  /** Whether load balancers were ever told to use the port. */
  #routed = false;
  #fixedPort = false;
  #supervision: Promise<void> = Promise.resolve();
  #attempt: Promise<void> = Promise.resolve();
  #trying = false;
  /** The step to `draining`, while the registry has not answered. */
  #marking: Promise<unknown> = Promise.resolve();
  #removal: Promise<Instance> | null = null;
  #hurry = new AbortController();
  #drainSpan: DrainSpan | null = null;
  #released = false;
  #readySince: number | null = null;
  #fault: Pick<Fault, 'message' | 'logTail'> | null = null;
  readonly #removed = new AbortController();

  constructor(instance: Instance, service: Service, context: SupervisorContext) {
    this.id = instance.id;
    this.#service = service;
    this.#context = context;
    this.#row = new InstanceRow(instance, context.registry, context.log, context.stopping);
    this.#launcher = new Launcher(this.#row, context);
    this.#alarm = new FaultAlarm(context, instance.id);
  }

  get instance(): Instance {
    return this.#row.instance;
  }

  /** Aborted when the instance is removed. */
  get removed(): AbortSignal {
    return this.#removed.signal;
  }

  /** When it became ready, or was found so, in epoch milliseconds; null while it is not. */
  get readySince(): number | null {
    return this.instance.lifecycle === 'ready' ? this.#readySince : null;
  }

  /** Why it is not ready although it was started; null when it is, or has not been tried yet. */
  get fault(): Pick<Fault, 'message' | 'logTail'> | null {
    return this.#fault;
  }

  /** Whether it is being drained or stopped. */
  get isLeaving(): boolean {
    return this.#removal !== null || this.instance.lifecycle === 'draining';
  }

  /** Null while it is not being removed. */
  get drainSpan(): DrainSpan | null {
    return this.#drainSpan;
  }

  /** Resolves when the present try to start has succeeded or failed; null when there is none. */
  get attempt(): Promise<void> | null {
    return this.#trying ? this.#attempt.catch(() => {}) : null;
  }

  /** The last lines of output of the present process. */
  async tail(): Promise<readonly string[]> {
    return (await this.#launcher.process?.tail()) ?? [];
  }

  /** What the next start, drain or stop uses. */
  configure(service: Service): void {
    this.#service = service;
  }

  /** @param permit - see `InstanceRow.commit`. @throws {HeimdallError} REGISTRY_UNAVAILABLE, INSTANCE_NOT_FOUND. */
  async weigh(weight: number, permit?: (present: Instance) => void): Promise<void> {
    await this.#row.commit({ weight }, permit);
  }

  /**
   * Begins supervision. Resolves when the instance is ready for the first time.
   * @param options.giveUp - after a first try that failed: no second one follows, and the row stays until `remove`.
   * @param options.fixedPort - never move to another port.
   * @throws {HeimdallError} what made the first try fail; nothing of the process group remains.
   */
  start(options: { readonly giveUp: boolean; readonly fixedPort: boolean }): Promise<void> {
    this.#fixedPort = options.fixedPort;
    this.#supervision = this.#supervise(options.giveUp);
    return this.#attempt;
  }

  /** Begins supervision of a process that an earlier manager started; a drain that it had begun is for the caller to resume. */
  adopt(process: RunningProcess): void {
    const { lifecycle } = this.instance;
    this.#launcher.adopt(process);
    this.#routed = lifecycle === 'ready' || lifecycle === 'draining';
    this.#tell('instance.adopted', `still runs (pid ${process.identity.pid})`);
    if (lifecycle === 'draining') return;
    if (!this.#routed) this.#row.record({ lifecycle: 'starting' });
    this.#supervision = this.#supervise(false);
  }

  /** Begins supervision of a row whose process, if it had one, ended while no manager was looking: it is started at once. */
  revive(): void {
    const { lifecycle, process, restarts } = this.instance;
    if (lifecycle === 'ready' || process !== null) {
      const lastError = 'ended while no manager was running';
      if (lifecycle === 'ready' || lifecycle === 'starting') {
        this.#row.record({ lifecycle: 'backing-off', process: null, lastError });
      }
      this.#row.record({ process: null, restarts: restarts + 1 });
      this.#tell('instance.lost', lastError);
    }
    this.#row.record({ lifecycle: 'starting' });
    this.#supervision = this.#supervise(false);
  }

  /**
   * The acknowledged drain: route gone and acknowledged, requests finished, then the stop signal, SIGKILL, row gone, port in
   * quarantine. Calls join a removal under way; a later `force` still shortens it.
   * @returns the instance as it was, now `stopped`.
   * @throws {HeimdallError} REGISTRY_UNAVAILABLE: nothing has changed. SHUTTING_DOWN: the next manager goes on with it.
   */
  remove(options: RemoveOptions): Promise<Instance> {
    if (options.force) this.#hasten();
    this.#removal ??= this.#remove(options).catch((error: unknown) => {
      this.#removal = null;
      this.#drainSpan = null;
      this.#hurry = new AbortController();
      throw error;
    });
    return this.#removal;
  }

  /** Ends supervision and leaves the process running for the next manager. */
  async release(): Promise<void> {
    this.#released = true;
    this.#ending.abort(shuttingDown());
    this.#hurry.abort();
    await this.#removal?.catch(() => {});
    await this.#supervision;
    this.#launcher.release();
    await this.#row.settled();
  }

  async #supervise(giveUp: boolean): Promise<void> {
    const { signal } = this.#ending;
    try {
      for (let first = true; ; first = false) {
        this.#attempt = this.#bringUp();
        let fault: Fault;
        try {
          await this.#attempt;
          fault = await this.#untilExit();
        } catch (error) {
          signal.throwIfAborted();
          if (first && giveUp) return;
          fault = this.#startFailed(error);
        }
        if (fault.exitCode !== null && this.#service.noRestartCodes.includes(fault.exitCode)) {
          await this.#retire(fault);
          return;
        }
        await this.#recover(fault);
      }
    } catch (error) {
      if (!signal.aborted) this.#context.log.error({ instance: this.id, err: error }, 'supervision has failed');
    }
  }

  async #bringUp(): Promise<void> {
    this.#readySince = this.#context.clock();
    if (this.instance.lifecycle === 'ready') return; // adopted
    this.#trying = true;
    try {
      await this.#launcher.bringUp(this.#service, this.#fixedPort, this.#ending.signal);
      await this.#advance({ lifecycle: 'ready', lastError: null });
      this.#readySince = this.#context.clock();
      this.#fault = null;
      await this.#row.settled(); // whoever waited finds it ready in the registry, too
    } finally {
      this.#trying = false;
    }
    this.#routed = true;
    const { startedAt, port } = this.instance;
    const took = inSeconds(this.#context.clock() - (startedAt ?? 0));
    this.#tell('instance.ready', `is ready on port ${port} after ${took}`);
  }

  #startFailed(error: unknown): Fault {
    const message = messageOf(error).replace(`${this.id} `, ''); // the row and the event name the instance already
    return { kind: 'instance.start-failed', message, logTail: logTailOf(error), exitCode: exitCodeOf(error) };
  }

  async #untilExit(): Promise<Fault> {
    const process = this.#launcher.process;
    if (process === null) throw new Error('no process to watch');
    const healthy = setTimeout(() => this.#alarm.clear(), this.#context.restart.healthyAfterMs);
    try {
      const exit = await abortable(process.exited, this.#ending.signal);
      const message = describeExit(exit, process.startedAt);
      return { kind: 'instance.exited', message, logTail: [], exitCode: exit.code };
    } finally {
      clearTimeout(healthy);
    }
  }

  /** Takes the instance out of rotation for good: its row stays, to be seen, until it is removed or a manager starts anew. */
  async #retire({ kind, message, logTail }: Fault): Promise<void> {
    const lastError = `${message}, after which it is not started again (noRestartCodes)`;
    await this.#advance({ lifecycle: 'failed', process: null, lastError });
    const tail = (await this.#launcher.process?.tail()) ?? logTail;
    this.#fault = { message: lastError, logTail: tail };
    await this.#launcher.kill();
    this.#tell(kind, lastError, { logTail: tail });
  }

  /** Takes the instance out of rotation, cleans up, and waits for the next try. */
  async #recover(fault: Fault): Promise<void> {
    this.#alarm.count();
    const lifecycle = this.#alarm.inCrashLoop ? 'failed' : 'backing-off';
    // Before anything else: every moment more, load balancers send it requests.
    await this.#advance({ lifecycle, process: null, lastError: fault.message });
    const logTail = (await this.#launcher.process?.tail()) ?? fault.logTail;
    this.#fault = { message: fault.message, logTail };
    await this.#launcher.kill();
    this.#tell(fault.kind, fault.message, { logTail });
    this.#alarm.tell(this.instance, { ...fault, logTail });
    await sleep(this.#alarm.delayMs, undefined, { signal: this.#ending.signal });
    await this.#advance({ lifecycle: 'starting', restarts: this.instance.restarts + 1 });
  }

  /** A step of the lifecycle that supervision takes; a removal that is being decided comes first. */
  async #advance(change: InstanceChange): Promise<void> {
    await this.#marking;
    this.#ending.signal.throwIfAborted();
    this.#row.record(change);
  }

  #hasten(): void {
    this.#hurry.abort();
    if (this.#drainSpan !== null) this.#drainSpan = { ...this.#drainSpan, until: this.#context.clock() };
  }

  async #remove(options: RemoveOptions): Promise<Instance> {
    const since = this.#context.clock();
    this.#drainSpan = { since, until: since + (options.force ? 0 : this.#service.drainTimeout) };
    const marking = this.#mark(options);
    this.#marking = marking.catch(() => {});
    const revision = await marking;
    this.#tell('instance.draining', options.force ? 'is being stopped' : 'is being drained');
    if (revision !== null && this.#routed && this.#launcher.process !== null) await this.#drain(revision);
    await this.#supervision;
    if (this.#released) throw shuttingDown();
    await this.#launcher.stop(this.#service);
    if (this.#routed) this.#context.ports.quarantine(this.instance.port);
    this.#alarm.clear();
    await this.#row.remove(revision === null ? options.desiredDelta : 0);
    this.#tell('instance.removed', 'is stopped and removed', { port: this.instance.port });
    this.#removed.abort();
    return { ...this.instance, lifecycle: 'stopped', process: null };
  }

  /** @returns the revision from which on nobody picks the instance; null when it could not be written. */
  async #mark({ desiredDelta, evenUnmarked }: RemoveOptions): Promise<number | null> {
    let revision: number | null = null;
    try {
      revision =
        this.instance.lifecycle === 'draining'
          ? (await this.#context.registry.snapshot()).revision
          : await this.#row.commit({ lifecycle: 'draining', desiredDelta });
    } catch (error) {
      if (!evenUnmarked) throw error;
      this.#context.log.warn(
        { instance: this.id, err: error },
        'stopping without a drain: the registry cannot be told',
      );
    }
    this.#ending.abort(new HeimdallError('LIFECYCLE_CONFLICT', `${this.id} is being removed`));
    return revision;
  }

  async #drain(revision: number): Promise<void> {
    const { registry, clock, log } = this.#context;
    const over = new AbortController();
    void this.#launcher.process?.exited.then(() => over.abort());
    const outcome = await waitUntilDrained({
      registry,
      instanceId: this.id,
      revision,
      timeoutMs: this.#service.drainTimeout,
      clock,
      signal: AbortSignal.any([this.#hurry.signal, over.signal]),
    });
    if (outcome === 'timeout') {
      log.warn({ instance: this.id }, `requests were still in flight after ${inSeconds(this.#service.drainTimeout)}`);
    }
  }

  #tell(type: Parameters<SupervisorContext['journal']['record']>[0], message: string, data = {}): void {
    this.#context.journal.record(type, this.instance, `${this.id} ${message}`, data);
  }
}

function exitCodeOf(error: unknown): number | null {
  const code = error instanceof HeimdallError ? error.context['exitCode'] : null;
  return typeof code === 'number' ? code : null;
}
