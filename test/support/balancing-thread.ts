// One of several threads that balance over the same memory: new Worker('balancing-thread.ts', { workerData: BalancingTask })
import { parentPort, workerData } from 'node:worker_threads';
import type { Balancer, Candidate, PickContext, Sample } from '../../internal/algorithms/balancer.ts';
import { createBalancer } from '../../internal/algorithms/create-balancer.ts';
import type { Explanation } from '../../internal/algorithms/explanation.ts';
import type { Algorithm } from '../../internal/model/algorithms.ts';
import type { Lease } from '../../internal/proxy/lease.ts';
import { Pool } from '../../internal/proxy/pool.ts';
import type { PoolEvents } from '../../internal/proxy/pool-parts.ts';
import { sharedMemory } from '../../internal/proxy/shared-memory.ts';
import { type SharedSize, SharedState } from '../../internal/proxy/shared-state.ts';
import { Upstream } from '../../internal/proxy/upstream.ts';
import { instance } from './instance-row.ts';

export interface BalancingTask {
  readonly buffer: SharedArrayBuffer;
  readonly size: SharedSize;
  readonly thread: number;
  readonly pool: number;
  readonly slots: readonly number[];
  readonly algorithm: Algorithm;
  readonly picks: number;
  /** How many requests the thread has in flight at most; with one more the oldest ends. */
  readonly concurrency: number;
  /** Whether the last request is not followed by the end of those in flight, but by a halt inside the lock, for ever. */
  readonly halts: boolean;
  /** Two integers: how many threads are ready, and whether they may begin. */
  readonly gate: Int32Array;
}

export interface BalancingResult {
  /** By the index of the upstream. */
  readonly counts: readonly number[];
  /** Picks of an upstream while another one had fewer requests in flight. */
  readonly misplaced: number;
  /** The largest difference seen between the requests in flight of any two upstreams. */
  readonly spread: number;
}

const NO_EVENTS: PoolEvents = { connectFailed() {}, drained() {} };
const NO_REQUEST: PickContext = { hash: () => 0, affinity: () => undefined, now: () => 0 };

/** Looks at the loads while the pool picks, when it has the lock of the pool, so that they stand still. */
class Watched implements Balancer {
  readonly #inner: Balancer;
  readonly #onPick: (upstreams: readonly Candidate[], picked: Candidate) => void;

  constructor(inner: Balancer, onPick: (upstreams: readonly Candidate[], picked: Candidate) => void) {
    this.#inner = inner;
    this.#onPick = onPick;
  }

  get algorithm(): Algorithm {
    return this.#inner.algorithm;
  }

  get learns(): boolean {
    return this.#inner.learns;
  }

  pick<C extends Candidate>(candidates: readonly C[], context: PickContext): C {
    const picked = this.#inner.pick(candidates, context);
    this.#onPick(candidates, picked);
    return picked;
  }

  explain(candidates: readonly Candidate[], context: PickContext): Explanation {
    return this.#inner.explain(candidates, context);
  }

  observe(candidate: Candidate, candidates: readonly Candidate[], sample: Sample): void {
    this.#inner.observe(candidate, candidates, sample);
  }
}

/** One thread's pool over the memory of all. */
class BalancingThread {
  readonly #task: BalancingTask;
  readonly #state: SharedState;
  readonly #upstreams: readonly Upstream[];
  readonly #pool: Pool;
  readonly #inFlight: Lease[] = [];
  readonly #counts: number[];
  #misplaced = 0;
  #spread = 0;

  constructor(task: BalancingTask) {
    const state = SharedState.attach(task.buffer, task.size, task.thread);
    this.#task = task;
    this.#state = state;
    this.#upstreams = task.slots.map((slot) => new Upstream(instance(`web-${slot}`), { state, slot }));
    const settings = { algorithm: task.algorithm, hash: { balanceFactor: null } };
    const balancer = createBalancer(settings, sharedMemory(state, task.pool));
    const watched = new Watched(balancer, (upstreams, picked) => this.#look(upstreams, picked));
    this.#pool = new Pool('web', watched, NO_EVENTS, () => 0, { state, pool: task.pool });
    for (const upstream of this.#upstreams) this.#pool.put(upstream);
    this.#counts = task.slots.map(() => 0);
  }

  run(): BalancingResult {
    for (let n = 0; n < this.#task.picks; n += 1) this.#request();
    if (this.#task.halts) this.#halt();
    while (this.#inFlight.length > 0) this.#end();
    return { counts: this.#counts, misplaced: this.#misplaced, spread: this.#spread };
  }

  #request(): void {
    if (this.#inFlight.length === this.#task.concurrency) this.#end();
    const lease = this.#pool.lease(NO_REQUEST, []);
    if (lease === null) throw new Error('there was nobody to pick');
    this.#inFlight.push(lease);
    const index = this.#upstreams.indexOf(lease.upstream);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  #look(upstreams: readonly Candidate[], picked: Candidate): void {
    const loads = upstreams.map(({ inFlight }) => inFlight);
    const least = Math.min(...loads);
    if (picked.inFlight > least) this.#misplaced += 1;
    const after = Math.min(...upstreams.map((each) => each.inFlight + (each === picked ? 1 : 0)));
    this.#spread = Math.max(this.#spread, picked.inFlight + 1 - after);
  }

  /** A pool ends requests outside the lock; here inside, so that the loads stand still for those who look at them. */
  #end(): void {
    this.#state.lock(this.#task.pool);
    this.#inFlight.shift()?.release({ kind: 'client-closed' });
    this.#state.unlock(this.#task.pool);
  }

  #halt(): void {
    this.#state.lock(this.#task.pool);
    parentPort?.postMessage('halted');
    Atomics.wait(this.#task.gate, 1, 1);
  }
}

const task: BalancingTask = workerData;
const thread = new BalancingThread(task);
Atomics.add(task.gate, 0, 1);
Atomics.notify(task.gate, 0);
Atomics.wait(task.gate, 1, 0);
parentPort?.postMessage(thread.run());
