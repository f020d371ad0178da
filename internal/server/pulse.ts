import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../model/errors.ts';
import type { Usage } from '../model/instance.ts';
import type { NodeNote } from '../model/node.ts';
import { isRegistryAway } from '../registry/registry.ts';
import type { PeerWatch } from './peer-watch.ts';
import type { Reconciler } from './reconciler.ts';
import type { SupervisorContext } from './supervisor-context.ts';

const PULSE_MS = 1_000;

/** Something to be done with every so many beats, also while the registry is away. */
export interface Chore {
  readonly name: string;
  readonly everyBeats: number;
  run(): Promise<void>;
}

interface PulseOptions {
  readonly context: SupervisorContext;
  readonly reconciler: Reconciler;
  /** What the node is like now. */
  readonly note: () => NodeNote;
  /** What its instances use, for other nodes; undefined: there are none. */
  readonly usage: () => ReadonlyMap<string, Usage> | undefined;
  readonly peers: PeerWatch;
  readonly chores: readonly Chore[];
}

/** What the manager does every second: it shows that it lives, watches the others, and finishes what had to wait. */
export class Pulse {
  readonly #options: PulseOptions;
  #beats = 0;
  #failing = false;

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  /** Beats until the manager stops; a registry that cannot be reached is tried again with every beat. Never rejects. */
  async beat(): Promise<void> {
    const { stopping, log } = this.#options.context;
    while (!stopping.aborted) {
      for (const chore of this.#options.chores) await this.#do(chore);
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
      this.#options.context.log.error({ chore: chore.name, err: error }, 'a chore of the manager failed');
    }
  }

  async #once(): Promise<void> {
    const { context, reconciler, note, usage, peers } = this.#options;
    await context.registry.heartbeat(note(), usage());
    await peers.look();
    if (reconciler.due) await reconciler.run();
  }
}
