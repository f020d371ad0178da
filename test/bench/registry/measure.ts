import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { cpuTime } from '../proc/cpu-time.ts';
import { residentBytes } from '../proc/memory.ts';
import type { Child, Workshop } from '../workshop.ts';
import { FilledSchema, type Moments, type Place, ReadSchema, StormedSchema } from './messages.ts';
import { type Delays, propagation } from './propagation.ts';

/** How long readers may take to have the last change in force. */
const CATCH_UP_MS = 60_000;
const IDLE_MS = 3_000;
const MIB = 1024 ** 2;

export interface Plan {
  readonly instances: number;
  readonly services: number;
  readonly readers: number;
  readonly seconds: number;
  /** Changes under way at the same time. */
  readonly lanes: number;
}

/** Where the store is: its files, or its processes. */
export interface Keeper {
  readonly folder?: string;
  readonly pids?: readonly number[];
}

/** What one storm came to. CPU as percent of one core. */
export interface Result {
  readonly instances: number;
  readonly readers: number;
  /** Changes per second that were asked for, and that the registry took. */
  readonly wanted: number;
  readonly taken: number;
  /** Of each reader by itself, and until the last of them had it. */
  readonly each: Delays;
  readonly all: Delays;
  /** Pictures per second and reader. */
  readonly pictures: number;
  readonly readerCpu: number;
  readonly writerCpu: number;
  /** Of the store's own processes; null: it has none. */
  readonly storeCpu: number | null;
  /** Of a reader while nothing changes. */
  readonly idleCpu: number;
  readonly readerMib: number;
  /** Of its files; null: it keeps them elsewhere. */
  readonly storeMib: number | null;
}

/** A registry with its writer and readers, which storms pass over one after the other. */
export class Site {
  readonly #plan: Plan;
  readonly #keeper: Keeper;
  readonly #writer: Child;
  readonly #readers: readonly Child[];
  readonly #signal: AbortSignal;
  #idleCpu = Number.NaN;

  private constructor(plan: Plan, workshop: Workshop, keeper: Keeper, writer: Child, readers: readonly Child[]) {
    this.#plan = plan;
    this.#keeper = keeper;
    this.#writer = writer;
    this.#readers = readers;
    this.#signal = workshop.signal;
  }

  static async open(workshop: Workshop, plan: Plan, registry: Place['registry'], keeper: Keeper): Promise<Site> {
    const services = Array.from({ length: plan.services }, (_, index) => `service-${index}`);
    const start = async (script: string, name: string) => {
      const place: Place = { registry, services, name };
      const command = [process.execPath, join(import.meta.dirname, script), JSON.stringify(place)];
      const child = await workshop.spawn(command, { cores: null, channel: true });
      await answer(child, workshop.signal);
      return child;
    };
    const writer = await start('writer.ts', 'writer');
    await ask(writer, { type: 'fill', instances: plan.instances }, FilledSchema, workshop.signal);
    const readers: Child[] = [];
    for (let n = 0; n < plan.readers; n += 1) readers.push(await start('reader.ts', `reader-${n}`));
    const site = new Site(plan, workshop, keeper, writer, readers);
    await site.#settle();
    return site;
  }

  /** @param perSecond - changes. */
  async storm(perSecond: number): Promise<Result> {
    const { instances, readers, seconds, lanes } = this.#plan;
    const { folder, pids } = this.#keeper;
    await Promise.all(this.#readers.map((reader) => this.#read(reader)));
    const before = await this.#cpu();
    const order = { type: 'storm', perSecond, seconds, lanes };
    const stormed = await ask(this.#writer, order, StormedSchema, this.#signal);
    const last = stormed.commits.at(-1)?.[0] ?? 0;
    const inForce = await Promise.all(this.#readers.map((reader) => this.#until(reader, last)));
    const after = await this.#cpu();
    const share = (from: number, to: number) => (100 * (to - from)) / (after.at - before.at) / 1_000;
    return {
      instances,
      readers,
      wanted: perSecond,
      taken: stormed.changes / stormed.seconds,
      ...propagation(stormed.commits, inForce),
      pictures: inForce.reduce((sum, { length }) => sum + length, 0) / readers / stormed.seconds,
      readerCpu: share(before.readers, after.readers) / readers,
      writerCpu: share(before.writer, after.writer),
      storeCpu: pids === undefined ? null : share(before.store, after.store),
      idleCpu: this.#idleCpu,
      readerMib: (await sumOf(this.#readers, residentBytes)) / readers / MIB,
      storeMib: folder === undefined ? null : (await sizeOf(folder)) / MIB,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer, ...this.#readers].map((child) => child.stop()));
  }

  /** First probes, first pictures of threads: all that has nothing to do with the storm. */
  async #settle(): Promise<void> {
    const wait = async () => {
      await sleep(IDLE_MS, undefined, { signal: this.#signal });
      return this.#cpu();
    };
    let before = await this.#cpu();
    let after = await wait();
    for (let round = 0; round < 20; round += 1) {
      const next = await wait();
      const isSettled = next.readers - after.readers > 0.8 * (after.readers - before.readers);
      [before, after] = [after, next];
      if (isSettled) break;
    }
    this.#idleCpu = (after.readers - before.readers) / (after.at - before.at) / 10 / this.#readers.length;
  }

  async #until(reader: Child, revision: number): Promise<Moments> {
    const deadline = performance.now() + CATCH_UP_MS;
    const moments: Moments = [];
    for (;;) {
      const read = await this.#read(reader);
      moments.push(...read.inForce);
      if ((read.revision ?? 0) >= revision) return moments;
      if (performance.now() > deadline) throw new Error(`a reader is at ${read.revision}, not yet at ${revision}`);
      await sleep(100, undefined, { signal: this.#signal });
    }
  }

  #read(reader: Child) {
    return ask(reader, {}, ReadSchema, this.#signal);
  }

  async #cpu() {
    const store = (this.#keeper.pids ?? []).map((pid) => ({ pid }));
    const [ofWriter, ofReaders, ofStore] = await Promise.all([
      cpuTime(this.#writer.pid),
      sumOf(this.#readers, cpuTime),
      sumOf(store, cpuTime),
    ]);
    return { writer: ofWriter, readers: ofReaders, store: ofStore, at: performance.now() };
  }
}

async function ask<T extends z.ZodType>(
  child: Child,
  order: object,
  schema: T,
  signal: AbortSignal,
): Promise<z.infer<T>> {
  child.process.send(order);
  return schema.parse(await answer(child, signal));
}

async function answer(child: Child, signal: AbortSignal): Promise<unknown> {
  const gone = child.ended.then(() => null);
  const answered = await Promise.race([once(child.process, 'message', { signal }), gone]);
  if (answered === null) throw new Error(`a process of the benchmark ended: ${child.output}`);
  return answered[0];
}

async function sumOf(
  children: readonly { readonly pid: number }[],
  figure: (pid: number) => Promise<number>,
): Promise<number> {
  const figures = await Promise.all(children.map(({ pid }) => figure(pid)));
  return figures.reduce((sum, each) => sum + each, 0);
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
