import { setTimeout as sleep } from 'node:timers/promises';
import { allVisitors, visitAll } from '../chaos/load.ts';
import { type Random, randomFrom } from '../chaos/random.ts';
import { Report } from '../chaos/report.ts';
import { ACTS, nextPlanned } from '../chaos/schedule.ts';
import { seedOf } from '../chaos/unplanned.ts';
import { type Begun, countFailures } from './failures.ts';
import type { Measured } from './measured.ts';
import type { Peer, PeerSite } from './peers/peer.ts';

/** Between two acts, and before the first. */
const REST_MS = 400;
const TELL_MS = 10_000;

export interface Run {
  readonly seconds: number;
  readonly seed: number;
  /** Between two visits of a client, in milliseconds. */
  readonly pauseMs: number;
  /** Ends it early. */
  readonly ending: AbortSignal;
  readonly tell: (line: string) => void;
}

/** Loads a peer in every way at once while it is changed, as the seed says. Everything has ended when it resolves. */
export async function measure(peer: Peer, run: Run): Promise<Measured> {
  const report = new Report();
  const acts: Begun[] = [];
  const site = await peer.start();
  const over = new AbortController();
  const { ports } = site;
  const { pauseMs } = run;
  const visiting = visitAll(allVisitors(peer), { ports, report, pauseMs, ending: over.signal });
  const telling = setInterval(() => {
    run.tell(`${peer.name}: ${report.visits} visits, ${report.unexcused.length} failed`);
  }, TELL_MS);
  try {
    await operate(site, run, report, acts);
    await site.isWell?.().catch((error: unknown) => report.fault(String(error)));
  } finally {
    clearInterval(telling);
    over.abort();
    await visiting;
    await dispose(site, report);
  }
  return {
    peer: peer.name,
    about: peer.about,
    version: 'version' in peer.installed ? peer.installed.version : '',
    visits: Object.fromEntries(
      Object.entries(report.byKind()).map(([kind, { done, failed }]) => [kind, { all: done + failed, failed }]),
    ),
    acts: Object.fromEntries(report.actions),
    leftOut: ACTS.filter((name) => !(name in site.doings)),
    failures: countFailures(report.unexcused, acts),
    faults: report.faults,
    examples: report.complaints(),
  };
}

/** One act after the other. What the peer cannot do is passed over. */
async function operate(site: PeerSite, { seconds, seed, ending, tell }: Run, report: Report, acts: Begun[]) {
  const random: Random = randomFrom(seedOf(seed, 1));
  const end = performance.now() + 1_000 * seconds;
  while (performance.now() < end && !ending.aborted) {
    const act = nextPlanned(random);
    const perform = site.doings[act.name];
    if (perform === undefined) continue;
    await sleep(REST_MS);
    acts.push({ name: act.name, from: performance.now() });
    try {
      await report.doing(act.name, () => perform(act));
    } catch (error) {
      const what = `${act.name}: ${error instanceof Error ? error.message : String(error)}`;
      report.fault(what);
      tell(what);
    }
  }
}

/** What a peer leaves behind must not cost what was measured. */
async function dispose(site: PeerSite, report: Report): Promise<void> {
  try {
    await site[Symbol.asyncDispose]();
  } catch (error) {
    report.fault(error instanceof Error ? error.message : String(error));
  }
}
