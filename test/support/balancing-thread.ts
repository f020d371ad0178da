// One of several threads that balance over the same memory: new Worker('balancing-thread.ts', { workerData: BalancingTask })
import { parentPort, workerData } from 'node:worker_threads';
import type { Balancer, PickContext } from '../../internal/algorithms/balancer.ts';
import { createBalancer } from '../../internal/algorithms/create-balancer.ts';
import type { Algorithm } from '../../internal/model/service.ts';
import { sharedMemory } from '../../internal/proxy/shared-memory.ts';
import { type SharedSize, SharedState } from '../../internal/proxy/shared-state.ts';
import { Upstream } from '../../internal/proxy/upstream.ts';
import { instance } from './proxy-fakes.ts';

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

const NO_REQUEST: PickContext = { hash: () => 0, affinity: () => undefined, now: () => 0 };

/** Locks, picks, claims and unlocks as a pool does; looks at the loads while it has the lock, so that they stand still. */
class BalancingThread {
  readonly #task: BalancingTask;
  readonly #state: SharedState;
  readonly #upstreams: readonly Upstream[];
  readonly #balancer: Balancer;
  readonly #inFlight: Upstream[] = [];
  readonly #counts: number[];
  #misplaced = 0;
  #spread = 0;

  constructor(task: BalancingTask) {
    this.#task = task;
    this.#state = SharedState.attach(task.buffer, task.size, task.thread);
    this.#upstreams = task.slots.map((slot) => new Upstream(instance(`web-${slot}`), { state: this.#state, slot }));
    const settings = { algorithm: task.algorithm, hash: { balanceFactor: null } };
    this.#balancer = createBalancer(settings, sharedMemory(this.#state, task.pool));
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
    this.#state.lock(this.#task.pool);
    const least = this.#least();
    const upstream = this.#balancer.pick(this.#upstreams, NO_REQUEST);
    if (upstream.inFlight > least) this.#misplaced += 1;
    upstream.claim();
    this.#spread = Math.max(this.#spread, upstream.inFlight - this.#least());
    this.#state.unlock(this.#task.pool);
    this.#inFlight.push(upstream);
    const index = this.#upstreams.indexOf(upstream);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /** A pool ends requests outside the lock; here inside, so that the loads stand still for those who look at them. */
  #end(): void {
    this.#state.lock(this.#task.pool);
    this.#inFlight.shift()?.unclaim(false);
    this.#state.unlock(this.#task.pool);
  }

  #least(): number {
    return Math.min(...this.#upstreams.map(({ inFlight }) => inFlight));
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
