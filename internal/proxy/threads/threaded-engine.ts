import type { LineBatch } from '../access-log/line-collector.ts';
import type { LineSettings } from '../access-log/line-format.ts';
import type { Engine, EngineSettings, Listener } from '../engine.ts';
import type { Finding } from '../explain/explainer.ts';
import { type Search, searchOf } from '../explain/search.ts';
import { sharedNow } from '../../../pkg/clock/shared-now.ts';
import { freePort } from '../../../pkg/sockets/free-port.ts';
import type { RateLimits } from '../rate-limit/rate-limits.ts';
import type { ServicePool } from '../service-pool.ts';
import type { SilentUpstream } from '../silent-upstream.ts';
import type { SlotAllocator } from '../slot-allocator.ts';
import type { ThreadReading } from '../thread-reading.ts';
import type { TracedRequest } from '../tracing/traced-request.ts';
import { Inquiry } from './inquiry.ts';
import type { FromThread, Measured, PictureChange, ThreadStart, ToThread } from './messages.ts';
import { Picture } from './picture.ts';
import { SharedListener } from './shared-listener.ts';
import { THREAD_ENTRY, type ThreadEvents, ThreadHandle } from './thread-handle.ts';

export interface ThreadedEngineOptions {
  readonly threads: number;
  /** Whether several sockets can share a port; where they cannot, there is one thread. */
  readonly sharesPorts: boolean;
  readonly slots: SlotAllocator;
  readonly limits: RateLimits;
  readonly settings: EngineSettings;
  readonly cookieSecret: string;
  /** Of the access log; null: there is none. */
  readonly lines: LineSettings | null;
  /** The pools as they are now. */
  readonly pools: () => Iterable<ServicePool>;
  readonly listener: ThreadedEngineListener;
  readonly watcher: ThreadWatcher;
  /** The module that a thread runs; another one than ours wraps it. */
  readonly entry?: URL;
}

interface ThreadedEngineListener {
  /** No connection could be made. @param ordinal - of the upstream, which tells it from its predecessors. */
  connectFailed(id: string, ordinal: number, cause: string): void;
  /** A request on an upstream that gets no more of them ended. */
  drained(): void;
  /** An upstream has failed as often in a row as one may, or while it was on trial. */
  failing(): void;
  /** A request is held, the first of all threads that is. */
  held(): void;
  /** Requests that are sampled for tracing are over. @param droppedSpans - of others, for which there was no room. */
  traced(requests: readonly TracedRequest[], droppedSpans: number): void;
  /** @param done - takes the memory of the batch back. */
  lines(batch: LineBatch, done: (memory: SharedArrayBuffer) => void): void;
}

/** Hears of threads that are not there as they should. */
export interface ThreadWatcher {
  /** Its connections are gone; another thread with its number takes its place. */
  crashed(thread: number, error: Error): void;
  /** The one that takes the place of another cannot listen where that did; it tries again. */
  notListening(thread: number, error: Error): void;
  /** The one that takes the place of another listens. */
  replaced(thread: number): void;
}

/**
 * A thread that crashes again this soon after its start, in milliseconds, is not started again at once; one that cannot
 * listen tries again after this time.
 */
const PAUSE_MS = 1_000;
/** A thread that hangs answers nothing; nobody waits for it longer than this, in milliseconds, once it should have. */
const HANGING_MS = 1_000;

/** The wire engine on several threads, which listen on the same port and balance as one. */
export class ThreadedEngine implements Engine, ThreadEvents {
  readonly #options: ThreadedEngineOptions;
  readonly #handles = new Map<number, ThreadHandle>();
  readonly #listeners = new Map<number, SharedListener>();
  /** Numbers of threads that crashed and of which the replacement does not listen yet. */
  readonly #missing = new Set<number>();
  readonly #picture = new Picture();
  readonly #searches = new Inquiry<Finding>();
  readonly #measurements = new Inquiry<Measured>();
  readonly #flushes = new Inquiry<true>();
  #settings: EngineSettings;
  #lines: LineSettings | null;
  #nextListener = 1;
  #syncing = false;
  #stopped = false;

  constructor(options: ThreadedEngineOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#lines = options.lines;
    options.slots.isPast = (generation) => this.#areAllPast(generation);
    this.#sync();
    for (let thread = 1; thread <= options.threads; thread += 1) this.#start(thread);
  }

  configure(settings: EngineSettings): void {
    this.#settings = settings;
    this.#broadcast({ kind: 'settings', settings });
  }

  /** Resolves when the lines that were made before have been sent. */
  async setLines(lines: LineSettings | null): Promise<void> {
    this.#lines = lines;
    this.#broadcast({ kind: 'lines', lines });
    await this.#flush();
  }

  async explain(id: string): Promise<Search> {
    const ask = (question: number) => this.#broadcast({ kind: 'explain', question, id });
    const { byThread, silent } = await this.#searches.ask(this.#handles.keys(), ask);
    return searchOf(byThread, silent);
  }

  async readings(): Promise<readonly ThreadReading[]> {
    const askedAt = sharedNow();
    const ask = (question: number) => this.#broadcast({ kind: 'measure', question });
    const { byThread } = await this.#measurements.ask(this.#handles.keys(), ask);
    return Array.from(this.#handles.values(), ({ thread, busyMs }) => {
      const { clients = null, answeredAt = sharedNow() } = byThread.get(thread) ?? {};
      return { thread, clients, delayMs: Math.max(0, answeredAt - askedAt), busyMs };
    });
  }

  rescue(from: SilentUpstream): void {
    this.#broadcast({ kind: 'rescue', from });
  }

  /** The threads close connections of removed upstreams when their picture tells them. */
  forget(): void {}

  /** Tells the threads what has changed about the pools; calls within one turn of the event loop are one. */
  changed(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    queueMicrotask(() => {
      this.#syncing = false;
      this.#sync();
    });
  }

  async listen(host: string, port: number, sockets: readonly number[] = []): Promise<Listener> {
    const freed = Promise.all(Array.from(this.#listeners.values(), (listener) => listener.freed));
    await atMost(HANGING_MS, freed); // it may be the same address
    const bound = sockets.length > 0 ? port : await freePort(host, port);
    const number = this.#nextListener;
    this.#nextListener += 1;
    const listener = new SharedListener(host, bound, new Set([...this.#handles.keys(), ...this.#missing]));
    this.#listeners.set(number, listener);
    this.#distribute(number, listener, sockets);
    try {
      await listener.opened;
    } catch (error) {
      await this.#close(number, listener, 0, false);
      throw error;
    }
    return {
      host,
      port: bound,
      close: (deadlineMs) => this.#close(number, listener, deadlineMs, false),
      retire: (deadlineMs) => this.#close(number, listener, deadlineMs, true),
      sockets: () => this.#socketsOf(number, listener),
    };
  }

  /** Sockets that are handed over go round; a thread that gets none binds one of its own. */
  #distribute(number: number, listener: SharedListener, sockets: readonly number[]): void {
    const handles = [...this.#handles.values()];
    for (const [index, handle] of handles.entries()) {
      const own = sockets.filter((_, at) => at % handles.length === index);
      this.#askToListen(handle, number, listener, own);
    }
  }

  async #socketsOf(number: number, listener: SharedListener): Promise<readonly number[]> {
    const all = listener.askForSockets([...this.#handles.keys()]);
    this.#broadcast({ kind: 'sockets', listener: number });
    await atMost(HANGING_MS, all);
    return listener.sockets;
  }

  /** Ends all threads, whatever they do; their lines have been sent then. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#lines !== null) await this.#flush();
    await Promise.all([...this.#handles.values()].map((handle) => handle.stop()));
    this.#handles.clear();
  }

  async #flush(): Promise<void> {
    await this.#flushes.ask(this.#handles.keys(), (question) => this.#broadcast({ kind: 'flush', question }));
  }

  received(message: FromThread, from: ThreadHandle): void {
    const { listener } = this.#options;
    switch (message.kind) {
      case 'applied':
        from.generation = message.generation;
        break;
      case 'listening':
        this.#listeners.get(message.listener)?.listens(from.thread);
        if (this.#missing.delete(from.thread)) this.#options.watcher.replaced(from.thread);
        break;
      case 'sockets':
        this.#listeners.get(message.listener)?.showed(from.thread, message.sockets);
        break;
      case 'not-listening':
        this.#cannotListen(message.listener, from, Object.assign(new Error(message.message), { code: message.code }));
        break;
      case 'explained':
        this.#searches.answered(message.question, from.thread, message.finding);
        break;
      case 'measured':
        this.#measurements.answered(message.question, from.thread, message.measured);
        break;
      case 'traces':
        listener.traced(message.requests, message.droppedSpans);
        from.send({ kind: 'traces-taken' });
        break;
      case 'lines':
        listener.lines(message.batch, (memory) => from.send({ kind: 'returned', memory }));
        break;
      case 'flushed':
        this.#flushes.answered(message.question, from.thread, true);
        break;
      case 'gave-up':
        this.#listeners.get(message.listener)?.gaveUp(from.thread);
        break;
      case 'closed':
        this.#listeners.get(message.listener)?.closed(from.thread);
        break;
      case 'connect-failed':
        listener.connectFailed(message.id, message.ordinal, message.cause);
        break;
      case 'drained':
        listener.drained();
        break;
      case 'failing':
        listener.failing();
        break;
      case 'held':
        listener.held();
        break;
    }
  }

  crashed(error: Error, which: ThreadHandle): void {
    const { thread } = which;
    this.#options.slots.state.takeOff(thread);
    this.#options.limits.accounts.takeOff(thread);
    this.#handles.delete(thread);
    this.#missing.add(thread);
    for (const listener of this.#listeners.values()) listener.lost(thread, error);
    this.#options.listener.drained();
    this.#options.watcher.crashed(thread, error);
    const again = () => {
      if (!this.#stopped) this.#start(thread);
    };
    if (performance.now() - which.startedAt > PAUSE_MS) again();
    else setTimeout(again, PAUSE_MS).unref();
  }

  #start(thread: number): void {
    const { slots, limits, cookieSecret } = this.#options;
    const { buffer, size } = slots.state;
    const picture: PictureChange = { generation: slots.generation, pools: this.#picture.pools(), removed: [] };
    const start: ThreadStart = {
      thread,
      buffer,
      size,
      limits: limits.memory,
      sharesPorts: this.#options.sharesPorts,
      settings: this.#settings,
      cookieSecret,
      lines: this.#lines,
      picture,
    };
    const handle = new ThreadHandle(this.#options.entry ?? THREAD_ENTRY, start, this);
    this.#handles.set(thread, handle);
    for (const [number, listener] of this.#listeners) this.#askToListen(handle, number, listener);
  }

  #askToListen(
    handle: ThreadHandle,
    number: number,
    { host, port, isClosing }: SharedListener,
    sockets: readonly number[] = [],
  ): void {
    if (!isClosing) handle.send({ kind: 'listen', listener: number, host, port, sockets });
  }

  /** Whoever opens the address learns of it; of a replacement that comes later, nobody would. */
  #cannotListen(number: number, handle: ThreadHandle, error: Error): void {
    const listener = this.#listeners.get(number);
    if (listener === undefined || listener.isClosing || listener.cannotListen(error)) return;
    this.#options.watcher.notListening(handle.thread, error);
    const again = () => {
      if (this.#handles.get(handle.thread) === handle) this.#askToListen(handle, number, listener);
    };
    setTimeout(again, PAUSE_MS).unref();
  }

  #sync(): void {
    const change = this.#picture.update(this.#options.pools());
    if (change === null) return;
    const { slots } = this.#options;
    slots.generation += 1;
    this.#broadcast({ kind: 'picture', change: { generation: slots.generation, ...change } });
  }

  async #close(number: number, listener: SharedListener, deadlineMs: number, isRetiring: boolean): Promise<void> {
    const closed = listener.close([...this.#handles.keys()]);
    this.#broadcast({ kind: 'close', listener: number, deadlineMs, isRetiring });
    await atMost(deadlineMs + HANGING_MS, closed);
    this.#listeners.delete(number);
  }

  #broadcast(message: ToThread): void {
    for (const handle of this.#handles.values()) handle.send(message);
  }

  #areAllPast(generation: number): boolean {
    for (const handle of this.#handles.values()) if (handle.generation <= generation) return false;
    return true;
  }
}

async function atMost(milliseconds: number, awaited: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([awaited, late]);
  clearTimeout(timer);
}
