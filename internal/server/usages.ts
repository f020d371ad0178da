import type { Instance, Usage } from '../model/instance.ts';
import { isRegistryAway, type RegistryWriter } from '../registry/registry.ts';
import type { Fleet } from './fleet.ts';
import { threeDigits } from './live/three-digits.ts';
import type { Vitals } from './vitals.ts';

const NONE: ReadonlyMap<string, Usage> = new Map();

interface UsagesOptions {
  readonly registry: Pick<RegistryWriter, 'isShared' | 'usage'>;
  readonly fleet: Pick<Fleet, 'instances'>;
  readonly vitals: Pick<Vitals, 'of'>;
}

/** Undefined: it is not known. */
export type UsageOf = (instance: Pick<Instance, 'id'>) => Usage | undefined;

/** What the processes of instances use: those of this node as they are measured, those of others as their managers tell. */
export class Usages {
  readonly #options: UsagesOptions;

  constructor(options: UsagesOptions) {
    this.#options = options;
  }

  /** Of all instances, by id; while the registry is away, of those of this node. */
  async all(): Promise<ReadonlyMap<string, Usage>> {
    const others = await this.#others();
    return others.size === 0 ? this.#own() : new Map([...others, ...this.#own()]);
  }

  async reader(): Promise<UsageOf> {
    const all = await this.all();
    return ({ id }) => all.get(id);
  }

  /** What others are told, by id: without the noise that would be written all the time; undefined: there are no others. */
  told(): ReadonlyMap<string, Usage> | undefined {
    if (!this.#options.registry.isShared) return undefined;
    const rounded = Array.from(this.#own(), ([id, { memory, cpu }]) => {
      return [id, { memory: threeDigits(memory), cpu: cpu && Math.round(cpu) }] as const;
    });
    return new Map(rounded);
  }

  #own(): ReadonlyMap<string, Usage> {
    const { fleet, vitals } = this.#options;
    const readings = fleet.instances().flatMap(({ id, process: identity }) => {
      const usage = vitals.of(identity?.pid);
      return usage === undefined ? [] : [[id, usage] as const];
    });
    return new Map(readings);
  }

  async #others(): Promise<ReadonlyMap<string, Usage>> {
    const { registry } = this.#options;
    try {
      return registry.isShared ? await registry.usage() : NONE;
    } catch (error) {
      if (isRegistryAway(error)) return NONE;
      throw error;
    }
  }
}
