import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/e2e-wait.ts';
import type { System } from '../support/e2e-system.ts';
import { SoakBackend } from './soak-backend.ts';

/** How long a backend stays away, and how long all stay. */
const REST_MS = 500;
/** Fewer are never left. */
const FEWEST = 2;

/** Backends that come and go, as the configuration says. */
export class Churn {
  cycles = 0;
  readonly #system: System;
  readonly #onStrange: (what: string) => void;
  readonly #running: SoakBackend[] = [];

  constructor(system: System, onStrange: (what: string) => void) {
    this.#system = system;
    this.#onStrange = onStrange;
  }

  /** Starts a backend on each of the system's own ports. */
  async start(): Promise<void> {
    for (const port of this.#system.ports.own) this.#running.push(await SoakBackend.start(port, this.#onStrange));
    await this.#configure();
  }

  /** Resolves once `signal` is aborted and all backends are there again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const leaving = this.#running.splice(0, 1 + (this.cycles % (this.#running.length - FEWEST)));
      await this.#configure();
      await this.#system.inRotation(this.#running.length);
      await Promise.all(leaving.map((backend) => backend.stop()));
      await sleep(REST_MS);
      for (const { port } of leaving) this.#running.push(await SoakBackend.start(port, this.#onStrange));
      await this.#configure();
      await this.#system.inRotation(this.#running.length);
      this.cycles += 1;
      await sleep(REST_MS);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((backend) => backend.stop()));
  }

  /** Resolves when nothing is in flight any more, as the load balancer counts it. */
  async idle(): Promise<void> {
    await eventually('nothing is in flight', async () => {
      const { services } = await this.#system.proxyStatus();
      return services.every(({ inFlight }) => inFlight === 0);
    });
  }

  #configure(): Promise<void> {
    const servers = this.#running.map(({ port }) => `127.0.0.1:${port}`);
    return this.#system.configure({
      services: [
        { name: 'web', servers, algorithm: 'least-connections', healthCheck: { interval: '500ms', timeout: '5s' } },
      ],
    });
  }
}
