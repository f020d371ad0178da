import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from './report.ts';
import type { Service } from './schedule.ts';
import {
  type Client,
  downloadClient,
  freshClient,
  keepAliveClient,
  postClient,
  slowClient,
  stickyClient,
  uploadClient,
  VisitError,
  webSocketClient,
} from './visits.ts';

/** So that a load balancer that is away is not asked a thousand times. */
const AFTER_FAILURE_MS = 100;

interface Visitor {
  readonly client: Client;
  /** Whose instances answer. */
  readonly service: Service;
}

/** Where each service is reached. */
export type Ports = Readonly<Record<Service, number>>;

interface Visiting {
  readonly ports: Ports;
  readonly report: Report;
  /** Between two visits of a client, in milliseconds. */
  readonly pauseMs: number;
  readonly ending: AbortSignal;
}

/** Every kind of load at once. */
export function allVisitors({ isSticky = true } = {}): Visitor[] {
  const times = (count: number, service: Service, make: () => Client) =>
    Array.from({ length: count }, () => ({ client: make(), service }));
  return [
    ...times(4, 'web', () => keepAliveClient('/', 'GET, kept alive')),
    ...times(2, 'shop', () => keepAliveClient('/shop', 'GET, kept alive')),
    ...times(3, 'web', () => freshClient('/')),
    ...times(3, 'web', postClient),
    ...times(1, 'web', uploadClient),
    ...times(1, 'web', downloadClient),
    ...times(3, 'web', slowClient),
    ...times(isSticky ? 2 : 0, 'shop', () => stickyClient('/shop')),
    ...times(3, 'web', webSocketClient),
  ];
}

/** Visits again and again. Resolves when the last visit of each is over, once it is to end. */
export async function visitAll(visitors: readonly Visitor[], visiting: Visiting): Promise<void> {
  await Promise.all(visitors.map((visitor) => visitAgain(visitor, visiting)));
  for (const { client } of visitors) client.close();
}

async function visitAgain({ client, service }: Visitor, { ports, report, pauseMs, ending }: Visiting): Promise<void> {
  const { kind, isIdempotent } = client;
  while (!ending.aborted) {
    const from = performance.now();
    try {
      await client.visit(ports[service]);
      report.well(kind);
    } catch (error) {
      const phase = error instanceof VisitError ? error.phase : 'head';
      const cause = error instanceof Error ? error.message : String(error);
      report.failed({ kind, isIdempotent, phase, cause, from, to: performance.now() });
      await sleep(AFTER_FAILURE_MS);
    }
    await sleep(pauseMs);
  }
}
