import { type Family, single } from './family.ts';
import type { LoopReading } from './loop-reading.ts';

/** What this process uses, under the names that all clients of Prometheus have for it; for the main thread. */
export function processFamilies({ delayMs, busyMs }: LoopReading): Family[] {
  const { user, system } = process.cpuUsage();
  const startedAt = performance.timeOrigin / 1_000;
  return [
    single('counter', 'process_cpu_seconds_total', 'CPU time of all threads.', (user + system) / 1e6),
    single('gauge', 'process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss()),
    single('gauge', 'nodejs_eventloop_lag_seconds', 'How late the event loop was at this scrape.', delayMs / 1_000),
    single('counter', 'nodejs_eventloop_busy_seconds_total', 'Time in which it had something to do.', busyMs / 1_000),
    single('gauge', 'process_start_time_seconds', 'When the process started, in seconds since 1970.', startedAt),
  ];
}
