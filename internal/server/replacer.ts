import { messageOf } from '../model/errors.ts';
import { type HealthRecord, unhealthyOf } from '../model/health.ts';
import { incarnationOf } from '../model/incarnation.ts';
import type { Service } from '../model/service.ts';
import type { Operations } from './operations.ts';
import { inSeconds } from './running-process.ts';
import { reserveSuccessor, retirePredecessor, type SuccessorParts, startSuccessor } from './successor.ts';
import type { Supervisor } from './supervisor.ts';
import type { Vitals } from './vitals.ts';

/** After a replacement that failed, or was for want of memory: the next one may soon want it, too. Doubled with each in a row. */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 600_000;
/** Readings in a row that must be above the limit: a short peak is none. */
const READINGS = 2;

interface ReplacerOptions extends SuccessorParts {
  /** The services as they are configured now. */
  readonly services: () => readonly Service[];
  readonly operations: Operations;
  readonly vitals: Vitals;
}

/**
 * Replaces instances that run but do no good: those that load balancers have found unhealthy for long, and those that use
 * more memory than they may. The new one is ready before the old one goes, and at most one of a service is replaced at a
 * time: when all are unhealthy for a common reason, the new one does not get ready either, and nothing is lost.
 */
export class Replacer {
  readonly #options: ReplacerOptions;
  readonly #pauses = new Map<string, { readonly until: number; readonly length: number }>();
  /** How often in a row an instance was found above its limit. */
  readonly #above = new Map<string, number>();
  /** Instances that an alert tells of. */
  readonly #told = new Set<string>();

  constructor(options: ReplacerOptions) {
    this.#options = options;
  }

  /** To be called every second. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
  async look(): Promise<void> {
    const { context, services } = this.#options;
    const watched = services().filter(({ command, replaceUnhealthyAfter, limits }) => {
      return command !== undefined && (replaceUnhealthyAfter !== null || limits.memory !== null);
    });
    if (watched.length === 0 && this.#told.size === 0) return;
    const unhealthy = unhealthyOf(await context.registry.health('unhealthy'));
    for (const service of watched) this.#lookAt(service, unhealthy);
    this.#resolve(unhealthy);
  }

  /** To be called after each reading of the vitals. */
  readings(): void {
    const { fleet, services, vitals } = this.#options;
    const all = services().flatMap(({ name, limits }) =>
      fleet.ofService(name).map((supervisor) => ({ supervisor, limits })),
    );
    const above = all.filter(({ supervisor, limits }) => {
      const memory = vitals.of(supervisor.instance.process?.pid)?.memory ?? 0;
      return limits.memory !== null && memory > limits.memory;
    });
    const ids = new Set(above.map(({ supervisor }) => supervisor.id));
    for (const id of this.#above.keys()) if (!ids.has(id)) this.#above.delete(id);
    for (const id of ids) this.#above.set(id, (this.#above.get(id) ?? 0) + 1);
  }

  #lookAt(service: Service, unhealthy: ReadonlyMap<string, HealthRecord>): void {
    const { fleet, operations, context } = this.#options;
    if (operations.isBusy(service.name)) return;
    if ((this.#pauses.get(service.name)?.until ?? 0) > context.clock()) return;
    for (const supervisor of fleet.ofService(service.name)) {
      const reason = this.#reason(supervisor, service, unhealthy);
      if (reason === null) continue;
      operations
        .tryRun(service.name, () => this.#replace(supervisor, service, reason))
        ?.catch((error: unknown) => context.log.error({ instance: supervisor.id, err: error }, 'a replacement broke'));
      return;
    }
  }

  /** Null when there is nothing wrong with it. */
  #reason(
    { id, instance, readySince, isLeaving }: Supervisor,
    { replaceUnhealthyAfter, limits }: Service,
    unhealthy: ReadonlyMap<string, HealthRecord>,
  ): string | null {
    if (readySince === null || isLeaving) return null;
    const trouble = unhealthy.get(incarnationOf(instance));
    const troubledMs = trouble === undefined ? 0 : this.#options.context.clock() - trouble.since;
    if (trouble && replaceUnhealthyAfter !== null && troubledMs >= replaceUnhealthyAfter) {
      return `has been unhealthy for ${inSeconds(troubledMs)}: ${trouble.cause}`;
    }
    if (limits.memory === null || (this.#above.get(id) ?? 0) < READINGS) return null;
    const memory = this.#options.vitals.of(instance.process?.pid)?.memory ?? 0;
    return `uses ${inMegabytes(memory)} of memory, and may use ${inMegabytes(limits.memory)}`;
  }

  async #replace(old: Supervisor, service: Service, reason: string): Promise<void> {
    const { context } = this.#options;
    const { journal, log } = context;
    await this.#tell(old, reason);
    const { weight } = old.instance;
    try {
      const fresh = await reserveSuccessor(old, service, this.#options);
      await startSuccessor(fresh, this.#options);
      if (!this.#above.has(old.id)) this.#pauses.delete(service.name);
      else this.#pause(service.name);
      journal.record('instance.replaced', old.instance, `${old.id} ${reason}; ${fresh.id} takes its place`);
      await retirePredecessor(old, { fresh, weight }, this.#options);
    } catch (error) {
      if (context.stopping.aborted) return;
      const again = `next try in ${inSeconds(this.#pause(service.name))}`;
      log.warn({ instance: old.id, reason: messageOf(error) }, `${old.id} could not be replaced; ${again}`);
    }
  }

  /** @returns how long nothing of the service is replaced, in milliseconds. */
  #pause(service: string): number {
    const now = this.#options.context.clock();
    const last = this.#pauses.get(service);
    const isInARow = last !== undefined && now - last.until < LONGEST_PAUSE_MS;
    const length = isInARow ? Math.min(LONGEST_PAUSE_MS, 2 * last.length) : FIRST_PAUSE_MS;
    this.#pauses.set(service, { until: now + length, length });
    return length;
  }

  async #tell(old: Supervisor, reason: string): Promise<void> {
    const { alerts, clock } = this.#options.context;
    if (this.#told.has(old.id)) return;
    this.#told.add(old.id);
    const title = `${old.id} is being replaced`;
    const cause = [`It ${reason}.`, ...(await old.tail())].join('\n');
    const { service } = old.instance;
    alerts.raise({ key: alertKey(old.id), severity: 'warning', title, cause, service, instance: old.id, at: clock() });
  }

  /** The alerts of instances that are gone, or well again, or may be as they are by now. */
  #resolve(unhealthy: ReadonlyMap<string, HealthRecord>): void {
    const { alerts, clock } = this.#options.context;
    for (const id of this.#told) {
      const supervisor = this.#options.fleet.get(id);
      const service = this.#options.services().find(({ name }) => name === supervisor?.instance.service);
      if (supervisor && service && (supervisor.isLeaving || this.#reason(supervisor, service, unhealthy) !== null))
        continue;
      this.#told.delete(id);
      alerts.resolve(alertKey(id), clock());
    }
  }
}

function alertKey(id: string): string {
  return `replacing:${id}`;
}

function inMegabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MB`;
}
