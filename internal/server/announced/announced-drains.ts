import { hasCode } from '../../model/errors.ts';
import type { Instance } from '../../model/instance.ts';
import { type Service, ServiceSchema } from '../../model/service.ts';
import { type DrainSpan, waitUntilDrained } from '../../registry/drain.ts';
import { insist } from '../insist.ts';
import { type SupervisorContext, shuttingDown } from '../supervisor-context.ts';

/** How much longer than a drain may take another manager gets before its drain is taken over, in milliseconds. */
const PATIENCE_MS = 5_000;

export interface RetireOptions {
  /** Requests in flight are not waited for. */
  readonly force: boolean;
  /** Whether its agent did not ask for it, and is to be told. */
  readonly tell: boolean;
}

interface Drain {
  readonly done: Promise<void>;
  readonly force: AbortController;
  readonly span: DrainSpan;
}

/** The acknowledged drains of announced instances. What runs behind them is not stopped: it is not ours. */
export class AnnouncedDrains {
  readonly #context: SupervisorContext;
  readonly #services: () => readonly Service[];
  /** By id. */
  readonly #drains = new Map<string, Drain>();
  /** When others were first seen draining, by id; epoch milliseconds. */
  readonly #others = new Map<string, number>();

  constructor(context: SupervisorContext, services: () => readonly Service[]) {
    this.#context = context;
    this.#services = services;
  }

  /** Null while it is not being drained here. */
  spanOf(id: string): DrainSpan | null {
    return this.#drains.get(id)?.span ?? null;
  }

  /**
   * Takes an instance out of rotation; resolves when no request is on its way to it any more. Calls for one instance join.
   * @throws {HeimdallError} REGISTRY_UNAVAILABLE: nothing has changed; SHUTTING_DOWN: another manager finishes it.
   */
  retire(instance: Instance, { force, tell }: RetireOptions): Promise<void> {
    const known = this.#drains.get(instance.id) ?? this.#begin(instance, tell);
    if (force) known.force.abort();
    return known.done;
  }

  /** Finishes drains that nobody finishes. To be called every second with all announced instances. */
  look(instances: readonly Instance[]): void {
    const now = this.#context.clock();
    const draining = instances.filter(({ id, lifecycle }) => lifecycle === 'draining' && !this.#drains.has(id));
    const ids = new Set(draining.map(({ id }) => id));
    for (const id of this.#others.keys()) if (!ids.has(id)) this.#others.delete(id);
    for (const instance of draining) {
      const since = this.#others.get(instance.id) ?? now;
      this.#others.set(instance.id, since);
      if (now - since <= this.#timeoutOf(instance) + PATIENCE_MS) continue;
      this.retire(instance, { force: false, tell: true }).catch((error: unknown) => {
        this.#context.log.warn({ instance: instance.id, err: error }, 'the removal is not finished yet');
      });
    }
  }

  #begin(instance: Instance, tell: boolean): Drain {
    const since = this.#context.clock();
    const force = new AbortController();
    const span = { since, until: since + this.#timeoutOf(instance) };
    const done = this.#drain(instance, force.signal, tell).finally(() => this.#drains.delete(instance.id));
    done.catch(() => {}); // whoever asked for it hears of it
    const drain = { done, force, span };
    this.#drains.set(instance.id, drain);
    return drain;
  }

  async #drain(instance: Instance, force: AbortSignal, tell: boolean): Promise<void> {
    const { registry, journal, clock, stopping } = this.#context;
    const { id } = instance;
    const timeoutMs = this.#timeoutOf(instance);
    try {
      const { revision } = await registry.update(id, { lifecycle: 'draining' });
      journal.record('instance.draining', instance, `${id} gets no new requests`);
      const signal = AbortSignal.any([stopping, force]);
      const outcome = await waitUntilDrained({ registry, instanceId: id, revision, timeoutMs, clock, signal });
      if (outcome === 'cut short' && stopping.aborted) throw shuttingDown();
      const end = () => (tell ? registry.update(id, { lifecycle: 'stopped' }) : registry.remove(id));
      await insist<unknown>(end, stopping);
      journal.record('instance.removed', instance, `${id} is removed${ENDS[outcome]}`);
    } catch (error) {
      const isGone = hasCode(error, 'INSTANCE_NOT_FOUND') || hasCode(error, 'LIFECYCLE_CONFLICT');
      if (!isGone) throw error; // it has expired meanwhile, or another manager has drained it
    }
  }

  #timeoutOf({ service: name }: Instance): number {
    const service = this.#services().find((each) => each.name === name) ?? ServiceSchema.parse({ name });
    return service.drainTimeout;
  }
}

const ENDS = {
  drained: '',
  timeout: ': not all of its requests were over in time',
  'cut short': ' without a drain',
} as const;
