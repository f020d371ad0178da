import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../../pkg/clock/clock.ts';
import { sharedNow } from '../../../pkg/clock/shared-now.ts';
import { messageOf } from '../../model/errors.ts';
import { LineCollector } from '../access-log/line-collector.ts';
import { recorderOf } from '../access-log/recorder.ts';
import type { Listener } from '../engine.ts';
import { RateLimits } from '../rate-limit/rate-limits.ts';
import { SharedState } from '../shared-state.ts';
import { TraceOutbox } from '../tracing/trace-outbox.ts';
import { WireEngine } from '../wire/engine.ts';
import type { FromThread, ThreadStart, ToThread } from './messages.ts';
import { ThreadFleet } from './thread-fleet.ts';

type SendMessage = (message: FromThread) => void;
type Message<K extends ToThread['kind']> = Extract<ToThread, { readonly kind: K }>;

/** One thread of the data plane: a wire engine of its own over the pools of all. */
class ProxyThread {
  readonly #send: SendMessage;
  readonly #lines: LineCollector;
  readonly #fleet: ThreadFleet;
  readonly #engine: WireEngine;
  readonly #traces: TraceOutbox;
  /** Null: the address could not be bound. */
  readonly #listeners = new Map<number, Promise<Listener | null>>();

  constructor(start: ThreadStart, send: SendMessage) {
    const { buffer, size, thread, limits, cookieSecret, settings } = start;
    this.#send = send;
    this.#lines = new LineCollector((batch) => send({ kind: 'lines', batch }));
    this.#fleet = new ThreadFleet({
      state: SharedState.attach(buffer, size, thread),
      limits: RateLimits.attach(limits, thread, sharedNow),
      cookieSecret,
      now: sharedNow,
      events: {
        connectFailed: ({ id, ordinal }, cause) => send({ kind: 'connect-failed', id, ordinal, cause }),
        drained: () => send({ kind: 'drained' }),
        failing: () => send({ kind: 'failing' }),
        held: () => send({ kind: 'held' }),
      },
      upstreamRemoved: (id) => this.#engine.forget(id),
    });
    this.#traces = new TraceOutbox((requests, droppedSpans) => {
      send({ kind: 'traces', requests, droppedSpans });
    }, systemClock);
    this.#engine = new WireEngine({
      routes: this.#fleet,
      settings,
      now: sharedNow,
      onTraced: (request) => this.#traces.add(request),
      onRequest: recorderOf(start.lines, this.#lines),
      threads: size.threads,
      reusePort: start.sharesPorts,
    });
    this.#apply(start.picture);
  }

  receive(message: ToThread): void {
    switch (message.kind) {
      case 'picture':
        this.#apply(message.change);
        break;
      case 'settings':
        this.#engine.configure(message.settings);
        break;
      case 'lines':
        this.#engine.onRequest = recorderOf(message.lines, this.#lines);
        break;
      case 'returned':
        this.#lines.returned(message.memory);
        break;
      case 'flush':
        this.#lines.flush();
        this.#send({ kind: 'flushed', question: message.question });
        break;
      case 'listen':
        this.#listeners.set(message.listener, this.#listen(message));
        break;
      case 'close':
        void this.#close(message);
        break;
      case 'rescue':
        this.#engine.rescue(message.from);
        break;
      case 'explain':
        this.#send({ kind: 'explained', question: message.question, finding: this.#engine.find(message.id) });
        break;
      case 'traces-taken':
        this.#traces.arrived();
        break;
      case 'measure':
        this.#send({
          kind: 'measured',
          question: message.question,
          measured: { clients: this.#engine.clients, answeredAt: sharedNow() },
        });
        break;
      case 'sockets':
        void this.#showSockets(message.listener);
        break;
    }
  }

  #apply(change: ThreadStart['picture']): void {
    this.#fleet.apply(change);
    this.#send({ kind: 'applied', generation: change.generation });
  }

  async #listen({ listener: number, host, port, sockets }: Message<'listen'>): Promise<Listener | null> {
    try {
      const listener = await this.#engine.listen(host, port, sockets);
      this.#send({ kind: 'listening', listener: number });
      return listener;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      this.#send({ kind: 'not-listening', listener: number, code, message: messageOf(error) });
      return null;
    }
  }

  async #showSockets(number: number): Promise<void> {
    const listener = await this.#listeners.get(number);
    this.#send({ kind: 'sockets', listener: number, sockets: (await listener?.sockets()) ?? [] });
  }

  async #close({ listener: number, deadlineMs, isRetiring }: Message<'close'>): Promise<void> {
    const listener = await this.#listeners.get(number); // it may still be on its way
    if (!isRetiring) this.#listeners.delete(number); // what retires may still be closed
    const closed = isRetiring ? listener?.retire(deadlineMs) : listener?.close(deadlineMs);
    this.#send({ kind: 'gave-up', listener: number });
    await closed;
    this.#traces.flush(); // the end of the thread may come with the answer
    this.#send({ kind: 'closed', listener: number });
  }
}

if (parentPort === null) throw new Error('this is a worker thread of the load balancer, not a program');
const port = parentPort;
const start: ThreadStart = workerData; // from the thread that made this one
const thread = new ProxyThread(start, (message) => port.postMessage(message));
port.on('message', (message: ToThread) => thread.receive(message));
