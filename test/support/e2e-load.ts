import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from '../../pkg/sockets/http.ts';
import { type Answer, type Ask, ask } from './e2e-http.ts';
import { eventually } from './e2e-wait.ts';

/** Between two requests of one connection, in milliseconds: the load runs as long as processes start, which need the machine. */
const PAUSE_MS = 50;

type Job = Ask & { readonly path: string; readonly isRight?: (answer: Answer) => boolean };

/** What one connection asks for, by the number of the request. */
export type Mix = (index: number) => Job;

export const GETS: Mix = () => ({ path: '/' });

/** Mostly quick GETs, every fourth a POST whose body comes back, every fortieth slow. */
export const MIXED: Mix = (index) => {
  if (index % 40 === 20) return { path: '/slow?ms=200' };
  if (index % 4 !== 3) return { path: '/' };
  const body = { index, text: 'x'.repeat(index % 500) };
  return { path: '/echo', method: 'POST', body, isRight: (answer) => answer.body === JSON.stringify(body) };
};

/** Keep-alive clients that ask without end, each on a connection of its own, until they are stopped. */
export class Load {
  readonly #url: string;
  readonly #mix: Mix;
  readonly #pauseMs: number;
  readonly #clients: readonly Promise<void>[];
  readonly #agents: Agent[] = [];
  readonly #byServer = new Map<string, number>();
  readonly #failures: string[] = [];
  #stopping = false;
  #requests = 0;

  constructor(url: string, connections: number, mix: Mix = GETS, pauseMs = PAUSE_MS) {
    this.#url = url;
    this.#mix = mix;
    this.#pauseMs = pauseMs;
    this.#clients = Array.from({ length: connections }, (_, index) => this.#run(index));
  }

  get requests(): number {
    return this.#requests;
  }

  /** What went wrong, in words; at best empty. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** How many answers came from a server. */
  from(server: string): number {
    return this.#byServer.get(server) ?? 0;
  }

  /** Resolves when so many more requests are answered. */
  async more(count: number): Promise<void> {
    const target = this.#requests + count;
    await eventually(`${count} more requests`, () => this.#requests >= target);
  }

  /** Resolves when a server has answered so many requests from now on. */
  async reaches(server: string, count = 5): Promise<void> {
    const target = this.from(server) + count;
    await eventually(`traffic reaches ${server}`, () => this.from(server) >= target);
  }

  /** Lets what is under way finish. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
    for (const agent of this.#agents) agent.destroy();
  }

  async #run(client: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#agents.push(agent);
    for (let index = client; !this.#stopping; index += 1) {
      await this.#one(this.#mix(index), agent);
      await sleep(this.#pauseMs);
    }
  }

  async #one({ path, isRight, ...options }: Job, agent: Agent): Promise<void> {
    const name = `${options.method ?? 'GET'} ${path}`;
    try {
      const answer = await ask(`${this.#url}${path}`, { ...options, agent });
      const server = String(answer.headers['x-server']);
      this.#byServer.set(server, this.from(server) + 1);
      if (answer.status !== 200) this.#failures.push(`${name}: ${answer.status} ${answer.body}`);
      else if (isRight && !isRight(answer)) this.#failures.push(`${name}: wrong body ${answer.body}`);
    } catch (error) {
      this.#failures.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
    this.#requests += 1;
  }
}
