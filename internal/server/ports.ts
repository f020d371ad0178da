import { HeimdallError, hasCode } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import type { InstanceDraft, RegistryWriter } from '../registry/registry.ts';
import { isPortFree } from './bind-probe.ts';
import { describeListener } from './port-owner.ts';
import { Quarantine } from './quarantine.ts';
import { inSeconds } from './running-process.ts';

/** Both included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

interface PortAllocatorOptions {
  readonly registry: RegistryWriter;
  readonly range: PortRange;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/**
 * Gives every instance a port of the range: the lowest that no row holds, that is not in quarantine, and that no other
 * program has bound. The row always comes first, so that two instances never try one port.
 */
export class PortAllocator {
  readonly #options: PortAllocatorOptions;
  readonly #quarantine: Quarantine;
  #range: PortRange;

  constructor(options: PortAllocatorOptions) {
    this.#options = options;
    this.#range = options.range;
    this.#quarantine = new Quarantine(options.clock);
  }

  /** Takes effect for the next port; instances outside of a changed range stay where they are. */
  use(range: PortRange): void {
    this.#range = range;
  }

  quarantine(port: number): void {
    this.#quarantine.add(port);
  }

  /**
   * Reserves one row per draft, all or none.
   * @param desiredDelta - added to the desired count of the drafts' service together with the rows.
   * @throws {HeimdallError} NO_FREE_PORT, telling what holds the ports and when the next one is free.
   */
  async reserve(drafts: readonly InstanceDraft[], desiredDelta: number): Promise<Instance[]> {
    const refused = new Set<number>();
    let instances = await this.#reserve(drafts, refused, desiredDelta);
    try {
      for (;;) {
        const bound = await boundByStrangers(instances);
        if (bound.length === 0) return instances;
        for (const { port } of bound) refused.add(port);
        // The rows that take their place come first: at no moment is there one too few.
        const others = await this.#reserve(bound, refused, 0);
        const gone = instances.filter((instance) => bound.includes(instance));
        instances = [...instances.filter((instance) => !bound.includes(instance)), ...others];
        await this.#giveBack(gone, 0);
      }
    } catch (error) {
      await this.#giveBack(instances, desiredDelta === 0 ? 0 : -1);
      throw error;
    }
  }

  /**
   * Reserves this very port.
   * @throws {HeimdallError} INVALID_REQUEST outside of the range; PORT_TAKEN, telling by whom.
   */
  async reserveExactly(draft: InstanceDraft, port: number, desiredDelta: number): Promise<Instance> {
    const { from, to } = this.#range;
    if (port < from || port > to) {
      throw new HeimdallError('INVALID_REQUEST', `port ${port} is outside of the configured range ${from}-${to}`);
    }
    const until = this.#quarantine.until(port);
    if (until !== null) {
      const wait = inSeconds(until - this.#options.clock());
      throw new HeimdallError('PORT_TAKEN', `port ${port} was released a moment ago and is free again in ${wait}`, {
        port,
      });
    }
    const instance = await this.#reserveOne(draft, port, desiredDelta);
    if (await isPortFree(port, draft.host)) return instance;
    await this.#giveBack([instance], -desiredDelta);
    throw await takenByStranger(port);
  }

  /**
   * Finds another port for an instance whose own one turned out to be bound by another program.
   * @param refused - ports not to try; those found bound are added.
   * @param take - moves the row to the port; rejects with PORT_TAKEN when another row has just taken it.
   * @throws {HeimdallError} NO_FREE_PORT.
   */
  async move(instance: Instance, refused: Set<number>, take: (port: number) => Promise<unknown>): Promise<void> {
    const { registry } = this.#options;
    const { instances } = await registry.snapshot();
    const held = new Set(instances.filter(({ host }) => host === instance.host).map(({ port }) => port));
    for (const port of this.#candidates()) {
      if (held.has(port) || refused.has(port)) continue;
      try {
        await take(port);
        if (await isPortFree(port, instance.host)) return;
        refused.add(port);
      } catch (error) {
        if (!hasCode(error, 'PORT_TAKEN')) throw error;
      }
    }
    throw this.#noFreePort(refused.size);
  }

  async #reserve(
    drafts: readonly InstanceDraft[],
    refused: ReadonlySet<number>,
    desiredDelta: number,
  ): Promise<Instance[]> {
    const ports = this.#candidates().filter((port) => !refused.has(port));
    try {
      return await this.#options.registry.reserve(drafts, ports, desiredDelta);
    } catch (error) {
      throw hasCode(error, 'NO_FREE_PORT') ? this.#noFreePort(refused.size) : error;
    }
  }

  async #reserveOne(draft: InstanceDraft, port: number, desiredDelta: number): Promise<Instance> {
    const { registry } = this.#options;
    try {
      const [instance] = await registry.reserve([draft], [port], desiredDelta);
      if (instance) return instance;
    } catch (error) {
      if (!hasCode(error, 'NO_FREE_PORT')) throw error;
    }
    const { instances } = await registry.snapshot();
    const holder = instances.find((other) => other.host === draft.host && other.port === port);
    throw new HeimdallError('PORT_TAKEN', `port ${port} is taken by ${holder?.id ?? 'another instance'}`, { port });
  }

  async #giveBack(instances: readonly Instance[], delta: number): Promise<void> {
    await Promise.all(instances.map(({ id }) => this.#options.registry.remove(id, delta)));
  }

  #candidates(): number[] {
    const { from, to } = this.#range;
    const ports = Array.from({ length: to - from + 1 }, (_, offset) => from + offset);
    return ports.filter((port) => this.#quarantine.until(port) === null);
  }

  #noFreePort(bound: number): HeimdallError {
    const { from, to } = this.#range;
    const waits: number[] = [];
    for (let port = from; port <= to; port += 1) {
      const until = this.#quarantine.until(port);
      if (until !== null) waits.push(until);
    }
    const reasons = [
      waits.length > 0 ? `${waits.length} released a moment ago` : '',
      bound > 0 ? `${bound} bound by other programs` : '',
      'the rest held by instances',
    ].filter((reason) => reason !== '');
    const next = Math.min(...waits);
    const advice =
      waits.length > 0
        ? `the next one is free in ${inSeconds(next - this.#options.clock())}`
        : 'remove an instance or widen "ports" in the configuration';
    return new HeimdallError('NO_FREE_PORT', `no free port in ${from}-${to} (${reasons.join(', ')}); ${advice}`, {
      ports: `${from}-${to}`,
      ...(waits.length > 0 ? { freeAt: new Date(next).toISOString() } : {}),
    });
  }
}

async function boundByStrangers(instances: readonly Instance[]): Promise<Instance[]> {
  const free = await Promise.all(instances.map(({ port, host }) => isPortFree(port, host)));
  return instances.filter((_, index) => !free[index]);
}

async function takenByStranger(port: number): Promise<HeimdallError> {
  const program = await describeListener(port);
  return new HeimdallError('PORT_TAKEN', `port ${port} is taken by another program${program ? `: ${program}` : ''}`, {
    port,
  });
}
