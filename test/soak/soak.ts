import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { System } from '../support/e2e-system.ts';
import { residentMemory } from '../support/resident-memory.ts';
import { Churn } from './churn.ts';
import { httpVisits } from './http-visits.ts';
import { RAW_VISITS } from './raw-visits.ts';
import { Tally } from './tally.ts';
import type { Visit } from './visit.ts';

/** So many clients of each kind, if not said otherwise. */
const CLIENTS = 4;
const CLIENTS_OF: Readonly<Record<string, number>> = { GET: 8, 'POST and PUT': 8, 'slow reader': 2, 'slow backend': 2 };
/** A visit that lasts longer hangs. */
const VISIT_MS = 45_000;
const SAMPLE_MS = 1_000;
const THREADS = 2;

export interface SoakResult {
  readonly tally: Tally;
  /** How often backends went and came back. */
  readonly cycles: number;
  /** What the load balancer held in memory, in octets, once a second. */
  readonly memory: readonly number[];
}

/**
 * Loads a load balancer of its own in every way at once, while backends come and go.
 * @throws when any process is left at the end.
 */
export async function soak(seconds: number, progress: (line: string) => void): Promise<SoakResult> {
  const tally = new Tally();
  await using system = await System.create(() => ({ proxy: { engine: 'wire', threads: THREADS }, services: [] }));
  const churn = new Churn(system, (what) => tally.fail('a backend', `got ${what}, which nobody has asked for`));
  await churn.start();
  const proxy = system.start('load-balancer');
  await proxy.isReady();
  await system.inRotation(system.ports.own.length);

  const stopping = new AbortController();
  const agents: Agent[] = [];
  const visits = Object.entries({ ...httpVisits(agentOf(agents)), ...RAW_VISITS });
  const clients = visits.flatMap(([kind, visit]) =>
    Array.from({ length: CLIENTS_OF[kind] ?? CLIENTS }, () =>
      repeat(kind, visit, system.ports.proxy, tally, stopping.signal),
    ),
  );
  const churning = churn.run(stopping.signal).catch((error: unknown) => tally.fail('the backends', error));
  const memory: number[] = [];
  for (let second = 1; second <= seconds && proxy.running; second += 1) {
    await sleep(SAMPLE_MS);
    memory.push(residentMemory(proxy.pid));
    if (second % 10 === 0)
      progress(`${second} s: ${tally.total} visits, ${tally.failed} failed, ${churn.cycles} cycles`);
  }
  if (!proxy.running) tally.fail('the load balancer', `ended:\n${proxy.output.slice(-2_000)}`);
  stopping.abort();
  await Promise.all([...clients, churning]);
  for (const agent of agents) agent.destroy();
  await churn.idle().catch((error: unknown) => tally.fail('the load balancer', error));
  const exit = await proxy.stop();
  if (exit?.code !== 0) tally.fail('the load balancer', `exit ${JSON.stringify(exit)}`);
  await churn.stop();
  return { tally, cycles: churn.cycles, memory };
}

function agentOf(agents: Agent[]): Agent {
  const agent = new Agent({ keepAlive: true });
  agents.push(agent);
  return agent;
}

/** One client: the same kind of visit, again and again. */
async function repeat(kind: string, visit: Visit, port: number, tally: Tally, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    const signal = AbortSignal.timeout(VISIT_MS);
    try {
      await visit({ port, signal });
      tally.count(kind);
    } catch (error) {
      tally.fail(kind, signal.aborted ? `hangs: ${String(error)}` : error);
      await sleep(10);
    }
  }
}
