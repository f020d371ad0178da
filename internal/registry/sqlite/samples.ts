import { z } from 'zod';
import { SAMPLES_KEPT_MS, type TrafficSample } from '../../model/traffic-sample.ts';
import type { Handle } from './handle.ts';

/** Without the names of the fields, which would be half of it. */
const BodySchema = z.object({
  /** Service, ended, failed, waiting. */
  services: z.array(z.tuple([z.string(), z.number(), z.number(), z.number()])),
  /** Service, instance, requests, failures, in flight, latencies. */
  instances: z.array(z.tuple([z.string(), z.string(), z.number(), z.number(), z.number(), z.array(z.number())])),
});
type Body = z.infer<typeof BodySchema>;

const SampleRowSchema = z.object({ proxyId: z.string(), from: z.int(), until: z.int(), body: z.string() });
const WatchRowSchema = z.object({ until: z.int() });

/** Takes away what is too old by now, of this load balancer and of those that are gone. */
export function writeSample(handle: Handle, sample: TrafficSample): void {
  const { proxyId, from, until, services, instances } = sample;
  const body: Body = {
    services: services.map(({ service, ended, failed, waiting }) => [service, ended, failed, waiting]),
    instances: instances.map(({ service, instanceId, requests, failures, inFlight, latencies }) => {
      return [service, instanceId, requests, failures, inFlight, [...latencies]];
    }),
  };
  handle.run(
    `INSERT INTO traffic_samples (proxy_id, begins_at, ends_at, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (proxy_id, begins_at) DO UPDATE SET ends_at = excluded.ends_at, body = excluded.body`,
    proxyId,
    from,
    until,
    JSON.stringify(body),
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
  const { data: known } = SampleRowSchema.safeParse(row);
  const body = known && bodyOf(known.body);
  if (!body) return null;
  const { proxyId, from, until } = known;
  return {
    proxyId,
    from,
    until,
    services: body.services.map(([service, ended, failed, waiting]) => ({ service, ended, failed, waiting })),
    instances: body.instances.map(([service, instanceId, requests, failures, inFlight, latencies]) => {
      return { service, instanceId, requests, failures, inFlight, latencies };
    }),
  };
}

function bodyOf(text: string): Body | undefined {
  try {
    return BodySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
