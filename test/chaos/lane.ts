import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { Report } from './report.ts';
import type { ChaosSite } from './site.ts';

/** Something that is done to heimdall while it is under load. */
export interface Act {
  readonly name: string;
  run(site: ChaosSite, random: Random, report: Report): Promise<void>;
}

/** Acts of which one is done after the other. */
export interface Lane {
  readonly random: Random;
  readonly next: () => Act | undefined;
  /** Between two acts, in milliseconds. */
  readonly rest: () => number;
  /** Hears of what could not be done, and why. @param from - when it was begun. */
  readonly failed: (act: Act, what: string, from: number) => void;
}

/** @param end - no act begins after that; milliseconds, as of `performance.now()`. */
export async function follow(lane: Lane, site: ChaosSite, report: Report, end: number): Promise<void> {
  const { random, next, rest, failed } = lane;
  while (performance.now() < end) {
    const act = next();
    if (act === undefined) return;
    const from = performance.now();
    try {
      await report.doing(act.name, () => act.run(site, random, report));
    } catch (error) {
      failed(act, `${act.name}: ${error instanceof Error ? error.message : String(error)}`, from);
    }
    await sleep(rest());
  }
}
