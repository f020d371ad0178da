import { follow, type Lane } from './lane.ts';
import { allVisitors, visitAll } from './load.ts';
import { planned } from './planned.ts';
import { type Random, randomFrom } from './random.ts';
import { Report } from './report.ts';
import { everyPlanned, nextPlanned } from './schedule.ts';
import { ChaosSite } from './site.ts';
import { everyBreak, nextBreak, seedOf } from './unplanned.ts';

export interface ChaosOptions {
  /** How long, at most. */
  readonly seconds: number;
  /** Whether everything is done once, in an order that the seed decides; else it is drawn again and again. */
  readonly once: boolean;
  /** Of what is done, and when. */
  readonly seed: number;
  /** Whether things break, too. */
  readonly breaks: boolean;
  /** Between two visits of a client, in milliseconds. */
  readonly pauseMs: number;
  readonly tell: (line: string) => void;
  /** Gets what the processes have printed, before they end. */
  readonly keepLog?: (log: string) => void;
}

const THREADS = 2;
/** Between two acts, in milliseconds. */
const REST_MS = 400;
const TELL_MS = 10_000;

/**
 * Runs heimdall under every kind of load at once, while an operator changes it and things break, both by a schedule that
 * the seed decides. Everything has ended when it resolves.
 */
export async function chaos({ seconds, once, seed, breaks, pauseMs, tell, keepLog }: ChaosOptions): Promise<Report> {
  const report = new Report();
  await using site = await ChaosSite.start(THREADS);
  const ending = new AbortController();
  const { proxy } = site.system.ports;
  const visiting = visitAll(allVisitors(), {
    ports: { web: proxy, shop: proxy },
    report,
    pauseMs,
    ending: ending.signal,
  });
  const end = performance.now() + 1_000 * seconds;
  const telling = setInterval(() => {
    const left = Math.round((end - performance.now()) / 1_000);
    tell(`${left} s left: ${report.visits} visits, ${report.unexcused.length} failed`);
  }, TELL_MS);
  const lanes = [operating(randomFrom(seedOf(seed, 1)), once, report, tell)];
  if (breaks) lanes.push(breaking(randomFrom(seedOf(seed, 2)), once, tell));
  try {
    await Promise.all(lanes.map((lane) => follow(lane, site, report, end)));
    await site.isWell().catch((error: unknown) => report.fault(String(error)));
  } finally {
    clearInterval(telling);
    ending.abort();
    await visiting;
    keepLog?.(site.system.output());
  }
  return report;
}

/** What cannot be done while something is broken is done later. */
function operating(random: Random, once: boolean, report: Report, tell: (line: string) => void): Lane {
  const all = once ? everyPlanned(random).map(planned) : null;
  return {
    random,
    next: () => (all === null ? planned(nextPlanned(random)) : all.pop()),
    rest: () => REST_MS,
    failed(act, what, from) {
      const isExplained = report.incidents.some((incident) => incident.to >= from - 1_000);
      if (!isExplained) return report.fault(what);
      tell(`not done: ${what}`);
      all?.unshift(act); // later
    },
  };
}

function breaking(random: Random, once: boolean, tell: (line: string) => void): Lane {
  const all = once ? everyBreak(random) : null;
  return {
    random,
    next: () => (all === null ? nextBreak(random) : all.pop()),
    rest: () => REST_MS + 2 * REST_MS * random(),
    failed: (_act, what) => tell(`not broken: ${what}`),
  };
}
