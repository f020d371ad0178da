import { once } from 'node:events';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { answers } from '../readiness.ts';
import type { Child } from '../workshop.ts';
import { CountsSchema, type Order } from './messages.ts';

const SERVER = join(import.meta.dirname, 'server.ts');

/** Backends, all in one process, that wait before each answer. */
export class DelayedBackends {
  readonly ports: readonly number[];
  readonly #child: Child;

  private constructor(ports: readonly number[], child: Child) {
    this.ports = ports;
    this.#child = child;
  }

  static async start({ workshop, ports: free, plan }: Bench, count: number): Promise<DelayedBackends> {
    const ports = await free.take(count);
    const command = [process.execPath, SERVER, ports.join(',')];
    const child = await workshop.spawn(command, { cores: plan.load, channel: true });
    await answers(child, ports.at(-1) ?? 0, workshop.signal);
    return new DelayedBackends(ports, child);
  }

  /** @param milliseconds - by backend, in the order of the ports. */
  delay(milliseconds: readonly number[]): void {
    this.#tell({ type: 'delays', milliseconds: [...milliseconds] });
  }

  /** How many requests each backend has had so far. */
  async counts(): Promise<readonly number[]> {
    const reply = once(this.#child.process, 'message');
    this.#tell({ type: 'count' });
    const gone = this.#child.ended.then(() => {
      throw new Error(`the delayed backends have ended: ${this.#child.output}`);
    });
    const [counts] = await Promise.race([reply, gone]);
    return CountsSchema.parse(counts);
  }

  #tell(order: Order): void {
    this.#child.process.send(order);
  }
}
