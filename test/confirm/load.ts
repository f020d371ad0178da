import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger } from '../../internal/simulation/ledger.ts';
import { exponential, randomFrom } from '../../internal/simulation/random.ts';
import type { Scenario } from '../../internal/simulation/scenario.ts';

/**
 * Sends the requests of a scenario to a load balancer, at the times at which the simulation has them.
 * @param startedAt - of the scenario, in epoch milliseconds.
 */
export async function load(url: string, scenario: Scenario, seed: number, startedAt: number): Promise<Ledger> {
  const { rate, measured } = scenario;
  const agent = new Agent({ keepAlive: true });
  const ledger = new Ledger();
  const random = randomFrom(seed);
  const running = new Set<Promise<void>>();
  let due = 0;
  for (;;) {
    due += exponential(random, 1_000 / rate);
    random(); // the key, which nobody asks for here
    if (due >= measured.to) break;
    const wait = startedAt + due - Date.now();
    if (wait > 0) await sleep(wait);
    const request = send(url, agent, ledger, Date.now() - startedAt);
    running.add(request);
    void request.finally(() => running.delete(request));
  }
  await Promise.all(running);
  agent.destroy();
  return ledger;
}

function send(url: string, agent: Agent, ledger: Ledger, at: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const began = performance.now();
  get(url, { agent }, (response) => {
    const succeeded = response.statusCode === 200;
    ledger.finished(at, succeeded ? performance.now() - began : Number.POSITIVE_INFINITY);
    ledger.picked(String(response.headers['x-backend']), at);
    response.resume().on('close', resolve);
  }).on('error', () => {
    ledger.finished(at, Number.POSITIVE_INFINITY);
    resolve();
  });
  return promise;
}
