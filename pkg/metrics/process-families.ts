import { type Family, single } from './family.ts';

/** What this process uses, under the names that all clients of Prometheus have for it; for the main thread. */
export function processFamilies(): Family[] {
  const { user, system } = process.cpuUsage();
  const startedAt = performance.timeOrigin / 1_000;
  return [
    single('counter', 'process_cpu_seconds_total', 'CPU time of all threads.', (user + system) / 1e6),
    single('gauge', 'process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss()),
    single('gauge', 'process_start_time_seconds', 'When the process started, in seconds since 1970.', startedAt),
  ];
}
