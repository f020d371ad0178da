import { setTimeout as sleep } from 'node:timers/promises';
import { exponential, randomFrom } from '../../../internal/simulation/random.ts';
import { ClientConnection } from './client-connection.ts';
import { PATIENCE_MS } from './plan.ts';

/** What became of one request. */
export interface Visit {
  /** When it was due, in milliseconds since the load began. */
  readonly dueAt: number;
  /** By how much later it was sent: not the proxy's doing, but that of a busy machine. */
  readonly lateMs: number;
  /** From then on. */
  readonly ms: number;
  /** Null: the client has given up, or its connection broke. */
  readonly status: number | null;
}

export interface LoadPhase {
  readonly seconds: number;
  /** Requests per second. */
  readonly rate: number;
}

/**
 * Sends requests at the times of a Poisson process, whatever becomes of those before: an open loop, in which a slow answer delays no
 * other request, and is measured from the time at which it was due. Resolves when the last one has ended.
 */
export async function load(port: number, phases: readonly LoadPhase[], signal: AbortSignal): Promise<readonly Visit[]> {
  const random = randomFrom(1);
  const idle: ClientConnection[] = [];
  const visits: Promise<Visit>[] = [];
  const began = performance.now();
  let [dueAt, phaseEnd] = [0, 0];
  for (const { seconds, rate } of phases) {
    phaseEnd += seconds * 1_000;
    for (;;) {
      const next = dueAt + exponential(random, 1_000 / rate);
      if (next >= phaseEnd) break;
      dueAt = next;
      const wait = began + dueAt - performance.now();
      if (wait > 0) await sleep(wait, undefined, { signal });
      visits.push(visit(port, idle, began, dueAt));
    }
    dueAt = phaseEnd;
  }
  const all = await Promise.all(visits);
  for (const connection of idle) connection.close();
  return all;
}

async function visit(port: number, idle: ClientConnection[], began: number, dueAt: number): Promise<Visit> {
  let connection = idle.pop();
  while (connection !== undefined && !connection.isUsable) connection = idle.pop();
  connection ??= new ClientConnection(port);
  const lateMs = performance.now() - began - dueAt;
  const status = await connection.ask(Math.max(PATIENCE_MS - lateMs, 1));
  if (connection.isUsable) idle.push(connection);
  return { dueAt, lateMs, ms: performance.now() - began - dueAt, status };
}
