import type { Family, NumberFamily } from '../../../pkg/metrics/family.ts';
import type { ThreadReading } from '../thread-reading.ts';

type Reading = readonly [
  kind: NumberFamily['kind'],
  name: string,
  help: string,
  read: (thread: ThreadReading) => number | undefined,
];

const READINGS: readonly Reading[] = [
  ['gauge', 'event_loop_delay_seconds', 'How long the thread took to answer this scrape.', (r) => r.delayMs / 1_000],
  ['counter', 'busy_seconds_total', 'Time in which its event loop had something to do.', (r) => r.busyMs / 1_000],
  ['gauge', 'connections', 'Connections of clients that are open.', (r) => r.clients?.open],
  ['counter', 'accepted_connections_total', 'Connections of clients, in all.', (r) => r.clients?.accepted],
  ['counter', 'received_bytes_total', 'From clients, heads and bodies.', (r) => r.clients?.receivedBytes],
  ['counter', 'sent_bytes_total', 'To clients, heads and bodies.', (r) => r.clients?.sentBytes],
];

/** Of each thread that takes requests; its counters begin anew when another one takes its place. */
export function threadFamilies(threads: readonly ThreadReading[]): Family[] {
  return READINGS.map(([kind, name, help, read]) => ({
    kind,
    name: `heimdall_thread_${name}`,
    help,
    samples: threads.flatMap((reading) => {
      const value = read(reading);
      return value === undefined ? [] : [{ labels: { thread: String(reading.thread) }, value }];
    }),
  }));
}
