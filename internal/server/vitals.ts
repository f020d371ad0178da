import { readFile } from 'node:fs/promises';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Usage } from '../model/instance.ts';
import { HAS_PROC, isRunning, statNow } from './proc.ts';
import { allPids } from './process-table.ts';

interface Sums {
  pages: number;
  ticks: number;
}

/** Processes that are read before others get their turn. */
const BATCH = 100;
/** Entries of the auxiliary vector (getauxval(3)). */
const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;

/** Reads what whole process groups use; nothing where there is no `/proc`. */
export class Vitals {
  readonly #readings = new Map<number, Usage>();
  /** CPU time of each group, in seconds, and when it was read, in milliseconds of a monotonic clock. */
  readonly #before = new Map<number, { readonly seconds: number; readonly at: number }>();
  #units: Promise<{ readonly pageBytes: number; readonly ticksPerSecond: number }> | null = null;

  /** @param groups - those that are of interest now; the others are forgotten. */
  async look(groups: ReadonlySet<number>): Promise<void> {
    if (!HAS_PROC) return;
    this.#units ??= readUnits();
    const { pageBytes, ticksPerSecond } = await this.#units;
    const sums = await sumsOf(groups);
    const at = performance.now();
    for (const group of this.#readings.keys()) if (!sums.has(group)) this.#forget(group);
    for (const [group, { pages, ticks }] of sums) {
      const seconds = ticks / ticksPerSecond;
      const before = this.#before.get(group);
      // A member that has ended takes its time with it.
      const cpu = before && (100_000 * Math.max(0, seconds - before.seconds)) / (at - before.at);
      this.#readings.set(group, { memory: pages * pageBytes, cpu: cpu ?? null });
      this.#before.set(group, { seconds, at });
    }
  }

  /** Undefined before the first look at the group. */
  of(group: number | undefined): Usage | undefined {
    return group === undefined ? undefined : this.#readings.get(group);
  }

  #forget(group: number): void {
    this.#readings.delete(group);
    this.#before.delete(group);
  }
}

async function sumsOf(groups: ReadonlySet<number>): Promise<Map<number, Sums>> {
  const sums = new Map<number, Sums>();
  for (const [index, pid] of (await allPids()).entries()) {
    if (index % BATCH === BATCH - 1) await breathe();
    const stat = statNow(pid);
    if (!isRunning(stat) || !groups.has(stat.group)) continue;
    const sum = sums.get(stat.group) ?? { pages: 0, ticks: 0 };
    sum.pages += stat.pages;
    sum.ticks += stat.cpuTicks;
    sums.set(stat.group, sum);
  }
  return sums;
}

async function readUnits(): Promise<{ pageBytes: number; ticksPerSecond: number }> {
  const vector = new Map<bigint, bigint>();
  const bytes = await readFile('/proc/self/auxv').catch(() => Buffer.alloc(0));
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    vector.set(bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8));
  }
  return { pageBytes: Number(vector.get(AT_PAGESZ) ?? 4_096n), ticksPerSecond: Number(vector.get(AT_CLKTCK) ?? 100n) };
}
