import { Load, MIXED } from '../e2e-load.ts';
import { type Attempt, attemptsOn } from './attempts.ts';
import type { Host } from './host.ts';

const PORT = 8080;
/** Between two requests of one connection, in milliseconds: many processes share the machine with them. */
const PAUSE_MS = 50;

/** What became of the requests. */
interface Findings {
  /** Of clients, in words. */
  readonly failures: readonly string[];
  /** Of each load balancer, in the order of the hosts; those of earlier traffic, too. */
  readonly attempts: readonly (readonly Attempt[])[];
}

/** Clients of load balancers that log their requests, see `ACCESS_LOG`. */
export class Traffic {
  readonly #hosts: readonly Host[];
  readonly #connections: number;
  /** So far, by host. */
  readonly #requests: number[];

  /** @param connections - to each load balancer. */
  constructor(hosts: readonly Host[], connections: number) {
    this.#hosts = hosts;
    this.#connections = connections;
    this.#requests = hosts.map(() => 0);
  }

  /** Traffic to all load balancers while something is done, and a little before and after. */
  async during(work: (loads: readonly Load[]) => Promise<void>): Promise<Findings> {
    const loads = this.#hosts.map((host) => new Load(host.url(PORT), this.#connections, MIXED, PAUSE_MS));
    try {
      await Promise.all(loads.map((load) => load.more(2 * this.#connections)));
      await work(loads);
      await Promise.all(loads.map((load) => load.more(4 * this.#connections)));
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
      for (const [index, { requests }] of loads.entries())
        this.#requests[index] = requests + (this.#requests[index] ?? 0);
    }
    const attempts = await Promise.all(this.#hosts.map((host, index) => attemptsOn(host, this.#requests[index] ?? 0)));
    return { failures: loads.flatMap(({ failures }) => failures), attempts };
  }
}

/** When requests were sent to an instance after a moment; milliseconds after it. */
export function sentAfter(since: number, id: string, attempts: readonly Attempt[]): readonly number[] {
  return attempts.flatMap(({ upstream, at }) => (upstream === id && at > since ? [Math.round(at - since)] : []));
}
