import type { Response } from 'express';
import type { Family } from '../../pkg/metrics/family.ts';
import { readLoop } from '../../pkg/metrics/loop-reading.ts';
import { isRegistryAway } from '../registry/registry.ts';
import { type Description, text } from './description.ts';
import { type Endpoint, endpoint, NoInput } from './endpoint.ts';
import type { Alerts, Manager } from './manager.ts';
import { aloneFamilies, managerFamilies } from './manager-families.ts';

/** More active alerts than that are not told apart. */
const MOST_ALERTS = 1_000;

const METRICS = {
  tag: 'manager',
  summary: 'Tell all that can be told in numbers, for Prometheus',
  details: 'Without the registry only how the process fares. The load balancer has its own, on its admin port.',
  ...NoInput,
  answers: { 200: text("Prometheus' text format", 'text/plain') },
  examples: [{}],
} as const satisfies Description;

/** `/metrics`: all that can be told in numbers, for Prometheus; without the registry, how the process fares. */
export function metricsEndpoint(
  manager: Manager,
  { book }: Alerts,
  version: string,
  now: () => number = Date.now,
): Endpoint {
  return endpoint('GET', '/metrics', METRICS, async (_input, response) => {
    const loop = await readLoop();
    const known = await readFamilies(manager, book, now()).catch((error: unknown) => {
      if (isRegistryAway(error)) return null;
      throw error;
    });
    await send(response, [...aloneFamilies(version, known !== null, loop), ...(known ?? [])]);
  });
}

async function readFamilies(manager: Manager, book: Alerts['book'], now: number): Promise<Family[]> {
  const [status, services, instances, alerts, silences] = await Promise.all([
    manager.status(),
    manager.services.list(),
    manager.list(),
    book.alerts({ limit: MOST_ALERTS, state: 'active' }),
    book.silences(),
  ]);
  return managerFamilies({ status, services, instances, alerts, silences, now }, manager.eventCounts);
}

async function send(response: Response, families: readonly Family[]): Promise<void> {
  const { expositionOf } = await import('../../pkg/metrics/exposition.ts'); // not before anybody asks
  const { contentType, body } = await expositionOf(families);
  response.set('Content-Type', contentType).send(body);
}
