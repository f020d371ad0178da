import { BroadcastChannel, workerData } from 'node:worker_threads';

/** A thread of the load balancer that crashes when its number is called out on the channel `crash`. */
const channel = new BroadcastChannel('crash');
channel.addEventListener('message', (event) => {
  if ('data' in event && event.data === workerData.thread) throw new Error('told to crash');
});
channel.unref();
await import('../../internal/proxy/threads/worker.ts');
