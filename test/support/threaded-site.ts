import { ServiceSchema } from '../../internal/model/service.ts';
import type { EngineSettings, Listener } from '../../internal/proxy/engine.ts';
import { ConcurrencyControl } from '../../internal/proxy/concurrency-control.ts';
import { Ejector } from '../../internal/proxy/ejector.ts';
import { Fleet } from '../../internal/proxy/fleet.ts';
import { SharedState } from '../../internal/proxy/shared-state.ts';
import { ROOM, SlotAllocator } from '../../internal/proxy/slot-allocator.ts';
import { ThreadedEngine } from '../../internal/proxy/threads/threaded-engine.ts';
import type { TracedRequest } from '../../internal/proxy/tracing/traced-request.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import { sharedNow } from '../../pkg/clock/shared-now.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { COOKIE_SECRET, fleetListener, SETTINGS } from './proxy-site.ts';

/** The wire engine on several threads, with one service `web` over the given ports, all of them healthy. */
export class ThreadedSite implements AsyncDisposable {
  readonly fleet: Fleet;
  readonly engine: ThreadedEngine;
  readonly slots: SlotAllocator;
  readonly ejector: Ejector;
  readonly #control: ConcurrencyControl;
  readonly crashes: { readonly thread: number; readonly error: Error }[] = [];
  /** Threads that could not listen, in the order in which they told so. */
  readonly notListening: number[] = [];
  readonly connectFailures: string[] = [];
  readonly traced: TracedRequest[] = [];
  /** Of the access log, when an engine was told to write them. */
  readonly lines: string[] = [];
  /** How often a thread told that requests are held. */
  heldTold = 0;
  /** Called right when a thread tells that requests are held. */
  onHeld: () => void = () => {};
  /** Called right when a thread crashes. */
  onCrash: () => void = () => {};
  readonly #troubled = new Set<number>();
  #listener: Listener | null = null;

  private constructor(threads: number, entry: URL | undefined, settings: Partial<EngineSettings>) {
    this.slots = new SlotAllocator(SharedState.create({ ...ROOM, threads }));
    this.fleet = new Fleet({
      cookieSecret: COOKIE_SECRET,
      now: () => performance.now(),
      log: createLogger({ name: 'test', level: 'silent' }),
      listener: fleetListener({
        poolChanged: () => this.engine.changed(),
        fellSilent: (silent) => this.engine.rescue(silent),
      }),
      slots: this.slots,
    });
    this.ejector = new Ejector({
      fleet: this.fleet,
      clock: systemClock,
      now: sharedNow,
      random: () => 0,
      log: createLogger({ name: 'test', level: 'silent' }),
    });
    this.ejector.start();
    this.#control = new ConcurrencyControl({
      fleet: this.fleet,
      clock: systemClock,
      now: sharedNow,
      random: () => 0.5,
    });
    this.#control.start();
    this.engine = new ThreadedEngine({
      sharesPorts: true,
      threads,
      ...(entry === undefined ? {} : { entry }),
      slots: this.slots,
      limits: this.fleet.limits,
      settings: { ...SETTINGS, ...settings },
      cookieSecret: COOKIE_SECRET,
      lines: null,
      pools: () => this.fleet.pools(),
      listener: {
        connectFailed: (id, ordinal, cause) => {
          this.connectFailures.push(`${id} ${cause}`);
          this.fleet.connectFailed(id, ordinal, cause);
        },
        drained() {},
        traced: (requests) => void this.traced.push(...requests),
        failing: () => this.ejector.lookSoon(),
        held: () => {
          this.heldTold += 1;
          this.onHeld();
        },
        lines: ({ octets }, done) => {
          if (octets === null) return;
          this.lines.push(...Buffer.from(octets).toString().split('\n').slice(0, -1));
          done(octets.buffer);
        },
      },
      watcher: {
        crashed: (thread, error) => {
          this.crashes.push({ thread, error });
          this.#troubled.add(thread);
          this.onCrash();
        },
        notListening: (thread) => this.notListening.push(thread),
        replaced: (thread) => this.#troubled.delete(thread),
      },
    });
  }

  static async open(
    threads: number,
    ports: readonly number[],
    service: Readonly<Record<string, unknown>> = {},
    entry?: URL,
    settings: Partial<EngineSettings> = {},
  ): Promise<ThreadedSite> {
    const site = new ThreadedSite(threads, entry, settings);
    site.use(ports, service);
    try {
      site.#listener = await site.engine.listen('127.0.0.1', 0);
    } catch (error) {
      await site.engine.stop();
      throw error;
    }
    return site;
  }

  /** Replaces the configuration. */
  use(ports: readonly number[], service: Readonly<Record<string, unknown>> = {}): void {
    const servers = ports.map((port) => `127.0.0.1:${port}`);
    this.fleet.configure([ServiceSchema.parse({ name: 'web', servers, ...service })]);
    this.engine.changed();
    for (const pool of this.fleet.pools()) {
      for (const { id, incarnation, health } of pool.upstreams()) {
        if (health !== 'unknown') continue;
        this.fleet.healthChanged({ id, incarnation, from: health, to: 'healthy', cause: 'told by the test', at: 0 });
      }
    }
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** Threads that crashed and are not replaced yet. */
  get troubled(): number[] {
    return [...this.#troubled];
  }

  /** Requests in flight, by the port of the upstream. */
  inFlight(): Map<number, number> {
    const upstreams = [...this.fleet.pools()].flatMap((pool) => [...pool.upstreams()]);
    return new Map(upstreams.map(({ instance, inFlight }) => [instance.port, inFlight]));
  }

  async close(deadlineMs: number): Promise<void> {
    await this.#listener?.close(deadlineMs);
    this.#listener = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ejector.stop();
    this.#control.stop();
    await this.close(0);
    await this.engine.stop();
  }
}
