import { BroadcastChannel, workerData } from 'node:worker_threads';

/** A thread of the load balancer that says so and then does nothing any more, when its number is called out on the channel `hang`. */
const channel = new BroadcastChannel('hang');
channel.addEventListener('message', (event) => {
  if (!('data' in event) || event.data !== workerData.thread) return;
  channel.postMessage('hangs');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
channel.unref();
await import('../../internal/proxy/threads/worker.ts');
