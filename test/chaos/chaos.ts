import { setTimeout as sleep } from 'node:timers/promises';
import { follow, type Lane } from './lane.ts';
import { PLANNED } from './planned.ts';
import { pick, type Random, randomFrom } from './random.ts';
import { Report } from './report.ts';
import { ChaosSite } from './site.ts';
import { nextBreak, seedOf } from './unplanned.ts';
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

export interface ChaosOptions {
  readonly seconds: number;
  /** Of what is done, and when. */
  readonly seed: number;
  /** Whether things break, too. */
  readonly breaks: boolean;
  /** Between two visits of a client, in milliseconds. */
  readonly pauseMs: number;
  readonly tell: (line: string) => void;
}

const THREADS = 2;
/** Between two acts, in milliseconds. */
const REST_MS = 400;
/** So that a load balancer that is away is not asked a thousand times. */
const AFTER_FAILURE_MS = 100;
const TELL_MS = 10_000;

/**
 * Runs heimdall under every kind of load at once, while an operator changes it and things break, both by a schedule that
 * the seed decides. Everything has ended when it resolves.
 */
export async function chaos({ seconds, seed, breaks, pauseMs, tell }: ChaosOptions): Promise<Report> {
  const report = new Report();
  await using site = await ChaosSite.start(THREADS);
  const ending = new AbortController();
  const clients = allClients();
  const visiting = clients.map((client) => visitAgain(client, site.system.ports.proxy, report, pauseMs, ending.signal));
  const end = performance.now() + 1_000 * seconds;
  const telling = setInterval(() => {
    const left = Math.round((end - performance.now()) / 1_000);
    tell(`${left} s left: ${report.visits} visits, ${report.unexcused.length} failed`);
  }, TELL_MS);
  const lanes = [operating(randomFrom(seedOf(seed, 1)), report, tell)];
  if (breaks) lanes.push(breaking(randomFrom(seedOf(seed, 2)), tell));
  try {
    await Promise.all(lanes.map((lane) => follow(lane, site, report, end)));
    await site.isWell().catch((error: unknown) => report.fault(String(error)));
  } finally {
    clearInterval(telling);
    ending.abort();
    await Promise.all(visiting);
    for (const client of clients) client.close();
  }
  return report;
}

function allClients(): Client[] {
  const times = (count: number, make: () => Client) => Array.from({ length: count }, make);
  return [
    ...times(4, () => keepAliveClient('/', 'GET, kept alive')),
    ...times(2, () => keepAliveClient('/shop', 'GET, kept alive')),
    ...times(3, () => freshClient('/')),
    ...times(3, postClient),
    ...times(1, uploadClient),
    ...times(1, downloadClient),
    ...times(3, slowClient),
    ...times(2, () => stickyClient('/shop')),
    ...times(3, webSocketClient),
  ];
}

async function visitAgain(
  client: Client,
  port: number,
  report: Report,
  pauseMs: number,
  ending: AbortSignal,
): Promise<void> {
  const { kind, isIdempotent } = client;
  while (!ending.aborted) {
    const from = performance.now();
    try {
      await client.visit(port);
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

/** What cannot be done while something is broken is done later. */
function operating(random: Random, report: Report, tell: (line: string) => void): Lane {
  return {
    random,
    next: () => pick(random, PLANNED),
    rest: () => REST_MS,
    failed(what, from) {
      const isExplained = report.incidents.some((incident) => incident.to >= from - 1_000);
      if (isExplained) tell(`not done: ${what}`);
      else report.fault(what);
    },
  };
}

function breaking(random: Random, tell: (line: string) => void): Lane {
  return {
    random,
    next: () => nextBreak(random),
    rest: () => REST_MS + 2 * REST_MS * random(),
    failed: (what) => tell(`not broken: ${what}`),
  };
}
