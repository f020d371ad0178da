import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../model/errors.ts';
import { isRegistryAway } from '../registry/registry.ts';
import { ProxyWatch } from './proxy-watch.ts';
import type { Reconciler } from './reconciler.ts';
import { inSeconds } from './running-process.ts';
import type { SupervisorContext } from './supervisor-context.ts';

const PULSE_MS = 1_000;

/** Something to be done with every so many beats, also while the registry is away. */
export interface Chore {
  readonly name: string;
  readonly everyBeats: number;
  run(): Promise<void>;
}

/** What the manager does every second: it shows that it lives, watches the load balancers, and finishes what had to wait. */
export class Pulse {
  readonly #context: SupervisorContext;
  readonly #reconciler: Reconciler;
  readonly #watch: ProxyWatch;
  readonly #chores: readonly Chore[];
  #beats = 0;
  #failing = false;

  /** @param startedAt - of the manager, in epoch milliseconds. */
  constructor(context: SupervisorContext, reconciler: Reconciler, startedAt: number, chores: readonly Chore[]) {
    this.#context = context;
    this.#reconciler = reconciler;
    this.#watch = new ProxyWatch(startedAt);
    this.#chores = chores;
  }

  /** Beats until the manager stops; a registry that cannot be reached is tried again with every beat. Never rejects. */
  async beat(): Promise<void> {
    const { stopping, log } = this.#context;
    while (!stopping.aborted) {
      for (const chore of this.#chores) await this.#do(chore);
      this.#beats += 1;
      try {
        await this.#once();
        if (this.#failing) log.info('the manager beats again');
        this.#failing = false;
      } catch (error) {
        if (!this.#failing)
          log.error({ reason: messageOf(error) }, 'the manager misses a beat, and tries again every second');
        this.#failing = true;
      }
      await sleep(PULSE_MS, undefined, { signal: stopping }).catch(() => {});
    }
  }

  async #do(chore: Chore): Promise<void> {
    if (this.#beats % chore.everyBeats !== 0) return;
    try {
      await chore.run();
    } catch (error) {
      if (isRegistryAway(error)) return;
      this.#context.log.error({ chore: chore.name, err: error }, 'a chore of the manager failed');
    }
  }

  async #once(): Promise<void> {
    const { registry, clock, alerts } = this.#context;
    await registry.heartbeat();
    const now = clock();
    const { gone, back } = this.#watch.look(await registry.proxies(), now);
    for (const { id, pid, heartbeatAt } of gone) {
      const cause = `no sign of life for ${inSeconds(now - heartbeatAt)} (pid ${pid})`;
      const title = `load balancer ${id} is gone`;
      alerts.raise({ key: alertKey(id), severity: 'critical', title, cause, at: now });
    }
    for (const id of back) alerts.resolve(alertKey(id), now);
    if (this.#reconciler.due) await this.#reconciler.run();
  }
}

function alertKey(proxyId: string): string {
  return `load-balancer-gone:${proxyId}`;
}
