import { z } from 'zod';
import { SAMPLES_KEPT_MS } from '../../model/traffic-sample.ts';
import type { Kept, KeptDelivery, KeptOutage, KeptRequest } from '../kept.ts';
import { EJECTION_KEPT_MS } from '../kept-for.ts';
import { isAlive } from '../registry.ts';
import { readAllSilences, readChannels } from './alert-book.ts';
import { MANAGER_PREFIX } from './alert-store.ts';
import { readDeployments, readSteps } from './deployments.ts';
import type { Handle } from './handle.ts';
import {
  readEjections,
  readEvents,
  readHealth,
  readInstancesChangedAfter,
  readLatencies,
  readProxies,
  readServices,
} from './queries.ts';
import { readRequests } from './request-keys.ts';
import { AlertRowSchema, DeliveryRowSchema, NumberRowSchema, OutageRowSchema, parseRow } from './rows.ts';
import { readSamples } from './samples.ts';

/** As SQLite understands a limit. */
const ALL = -1;

const OwnedSchema = z.object({ owner: z.string() });
const KeptOutageRowSchema = OutageRowSchema.extend({
  ...OwnedSchema.shape,
  ...AlertRowSchema.pick({ ackedAt: true, ackedBy: true, comment: true }).shape,
});
const KeptDeliveryRowSchema = DeliveryRowSchema.extend(OwnedSchema.shape);

/** Call it inside a transaction. @param now - epoch milliseconds. @throws {HeimdallError} REGISTRY_BROKEN naming a row. */
export function readKept(handle: Handle, now: number): Kept {
  const deployments = readDeployments(handle, ALL, null, false).toReversed();
  return {
    proxies: readProxies(handle).filter((proxy) => isAlive(proxy, now)),
    services: readServices(handle),
    instances: readInstancesChangedAfter(handle, -1),
    deployments,
    steps: deployments.flatMap(({ id }) => readSteps(handle, id, 0)).toSorted((a, b) => a.id - b.id),
    events: readEvents(handle, { limit: ALL }).toReversed(),
    outages: readOutages(handle),
    deliveries: readDeliveries(handle),
    silences: readAllSilences(handle),
    channels: readChannels(handle),
    requests: readRequests(handle).map(
      ({ owner, key, fingerprint, at, answer }): KeptRequest => ({ claim: { owner, key, fingerprint }, at, answer }),
    ),
    health: readHealth(handle, null),
    latencies: readLatencies(handle),
    ejections: readEjections(handle, now - EJECTION_KEPT_MS),
    samples: readSamples(handle, now - SAMPLES_KEPT_MS),
    numbers: { deployments: lastNumber(handle, 'deployments'), silences: lastNumber(handle, 'alert_silences') },
  };
}

function readOutages(handle: Handle): KeptOutage[] {
  const rows = handle.all(
    `SELECT id, owner, alert, resolved_at AS resolvedAt, told, announced, occurrences, open,
       acked.at AS ackedAt, acked.by AS ackedBy, acked.comment
     FROM alerts LEFT JOIN alert_acknowledgements AS acked ON acked.alert_id = alerts.id ORDER BY began_at, id`,
  );
  return rows.map((row) => {
    const { owner, ackedAt, ackedBy, comment, ...outage } = parseRow('alerts', KeptOutageRowSchema, row);
    const acknowledgement = ackedAt === null ? null : { at: ackedAt, by: ackedBy ?? '', comment: comment ?? '' };
    return { owner: ownerOf(owner), outage, acknowledgement };
  });
}

function readDeliveries(handle: Handle): KeptDelivery[] {
  const rows = handle.all(
    'SELECT owner, channel, body AS notification FROM alert_outbox ORDER BY at, message, channel',
  );
  return rows.map((row) => {
    const { owner, ...delivery } = parseRow('alert_outbox', KeptDeliveryRowSchema, row);
    return { owner: ownerOf(owner), delivery };
  });
}

/** One manager is like the other. */
function ownerOf(owner: string): string | null {
  return owner.startsWith(MANAGER_PREFIX) ? null : owner;
}

/** That a table has given, also to rows that are gone. */
function lastNumber(handle: Handle, table: string): number {
  const row = handle.get('SELECT seq AS id FROM sqlite_sequence WHERE name = ?', table);
  return row === undefined ? 0 : parseRow('sqlite_sequence', NumberRowSchema, row).id;
}
