import { BroadcastChannel, workerData } from 'node:worker_threads';
import '../../internal/proxy/threads/worker.ts';

/** A thread of the load balancer that crashes when its number is called out on the channel `crash`. */
const channel = new BroadcastChannel('crash');
channel.onmessage = ({ data }: { data?: unknown }) => {
  if (data === workerData.thread) throw new Error('told to crash');
};
channel.unref();
