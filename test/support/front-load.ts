import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from '../../pkg/sockets/http.ts';
import { eventually } from './e2e-wait.ts';

const PAUSE_MS = 20;

interface Outcome {
  readonly server: string;
  /** Null: all was well. */
  readonly failure: string | null;
  /** The connection had been used before, and was closed before there was any answer. */
  readonly wasStale: boolean;
}

/**
 * Keep-alive clients of a front. Like every browser they repeat a GET when a connection that they had used before was closed
 * before there was any answer (RFC 9112, 9.3.1): a reload of nginx closes connections on which nothing runs.
 */
export class FrontLoad {
  readonly failures: string[] = [];
  readonly servers = new Map<string, number>();
  answers = 0;
  readonly #url: string;
  readonly #clients: readonly Promise<void>[];
  #stopping = false;

  constructor(url: string, clients: number) {
    this.#url = url;
    this.#clients = Array.from({ length: clients }, () => this.#run());
  }

  async more(count: number): Promise<void> {
    const target = this.answers + count;
    await eventually(`${count} more answers`, () => this.answers >= target);
  }

  async reaches(server: string): Promise<void> {
    const target = (this.servers.get(server) ?? 0) + 3;
    await eventually(`traffic reaches ${server}`, () => (this.servers.get(server) ?? 0) >= target);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  async #run(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.#stopping) {
      let outcome = await get(this.#url, agent);
      while (outcome.wasStale) outcome = await get(this.#url, agent);
      if (outcome.failure !== null) this.failures.push(outcome.failure);
      this.servers.set(outcome.server, (this.servers.get(outcome.server) ?? 0) + 1);
      this.answers += 1;
      await sleep(PAUSE_MS);
    }
    agent.destroy();
  }
}

function get(url: string, agent: Agent): Promise<Outcome> {
  return new Promise((resolve) => {
    const message = request(url, { agent, timeout: 60_000 });
    const fail = (failure: string, wasStale = false) => resolve({ server: '', failure, wasStale });
    message.on('timeout', () => message.destroy(new Error('no answer')));
    message.on('error', (error: NodeJS.ErrnoException) => {
      fail(error.message, message.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE'));
    });
    message.on('response', (response) => {
      response.on('error', ({ message: why }) => fail(`broken off: ${why}`)).resume();
      response.on('end', () => {
        const { statusCode, headers } = response;
        const failure = statusCode === 200 ? null : `status ${statusCode}`;
        resolve({ server: String(headers['x-server']), failure, wasStale: false });
      });
    });
    message.end();
  });
}
