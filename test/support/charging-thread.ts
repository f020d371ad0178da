// One of several threads that charge the same account at the same time: new Worker('charging-thread.ts', { workerData: ChargingTask })
import { parentPort, workerData } from 'node:worker_threads';
import { isGranted, type Rule } from '../../internal/proxy/rate-limit/gcra.ts';
import { type RateLimitMemory, RateLimits } from '../../internal/proxy/rate-limit/rate-limits.ts';

export interface ChargingTask {
  readonly memory: RateLimitMemory;
  readonly thread: number;
  readonly rule: Rule;
  readonly requests: number;
  /** Two integers: how many threads are ready, and whether they may begin. */
  readonly gate: Int32Array;
}

const task: ChargingTask = workerData;
const { accounts } = RateLimits.attach(task.memory, task.thread, () => 0);
Atomics.add(task.gate, 0, 1);
Atomics.notify(task.gate, 0);
Atomics.wait(task.gate, 1, 0);
let granted = 0;
for (let n = 0; n < task.requests; n += 1) {
  if (isGranted(accounts.charge({ low: 1, high: 2 }, 0, task.rule), task.rule)) granted += 1;
}
parentPort?.postMessage(granted);
