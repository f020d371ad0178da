import { z } from 'zod';
import { SAMPLES_KEPT_MS, type TrafficSample } from '../../model/traffic-sample.ts';
import { PackedSampleSchema, packSample, unpackSample } from '../packed-sample.ts';
import type { Handle } from './handle.ts';
import { json } from './rows.ts';

const SampleRowSchema = z.object({
  proxyId: z.string(),
  from: z.int(),
  until: z.int(),
  body: json(PackedSampleSchema),
});
const WatchRowSchema = z.object({ until: z.int() });

/** Takes away what is too old by now, of this load balancer and of those that are gone. */
export function writeSample(handle: Handle, sample: TrafficSample): void {
  const { proxyId, from, until } = sample;
  handle.run(
    `INSERT INTO traffic_samples (proxy_id, begins_at, ends_at, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (proxy_id, begins_at) DO UPDATE SET ends_at = excluded.ends_at, body = excluded.body`,
    proxyId,
    from,
    until,
    JSON.stringify(packSample(sample)),
  );
  handle.run(
    'DELETE FROM traffic_samples WHERE ends_at < ? AND (proxy_id = ? OR proxy_id NOT IN (SELECT id FROM proxies))',
    until - SAMPLES_KEPT_MS,
    proxyId,
  );
}

/** Those that ended later than that, oldest first; one that cannot be read is left out: it is not worth a fault. */
export function readSamples(handle: Handle, since: number): TrafficSample[] {
  const rows = handle.all(
    `SELECT proxy_id AS proxyId, begins_at AS "from", ends_at AS until, body FROM traffic_samples
     WHERE ends_at > ? ORDER BY ends_at`,
    since,
  );
  return rows.flatMap((row) => sampleOf(row) ?? []);
}

export function writeWatched(handle: Handle, until: number): void {
  handle.run('INSERT OR REPLACE INTO live_watch (id, until) VALUES (1, ?)', until);
}

/** Epoch milliseconds; 0: nobody ever has. */
export function readWatched(handle: Handle): number {
  return WatchRowSchema.safeParse(handle.get('SELECT until FROM live_watch')).data?.until ?? 0;
}

function sampleOf(row: unknown): TrafficSample | null {
  const { data } = SampleRowSchema.safeParse(row);
  if (data === undefined) return null;
  const { body, ...sample } = data;
  return { ...sample, ...unpackSample(body) };
}
