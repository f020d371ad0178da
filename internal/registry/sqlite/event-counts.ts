import { z } from 'zod';
import type { EventCount, EventCountQuery } from '../../model/event.ts';
import type { Handle } from './handle.ts';
import { parseRow } from './rows.ts';

const CountedRowSchema = z.object({ service: z.string(), count: z.int(), at: z.int(), message: z.string() });

/** Counts in the database: the events themselves may be thousands, each with fifty lines of output. */
export function countEvents(handle: Handle, { types, since, latest }: EventCountQuery): EventCount[] {
  const rows = handle.all(
    `SELECT service, count, at, message FROM (
       SELECT id, service, at, message, count(*) OVER (PARTITION BY service) AS count,
         row_number() OVER (PARTITION BY service ORDER BY id DESC) AS place
       FROM events WHERE at >= ? AND service IS NOT NULL AND type IN (SELECT value FROM json_each(?)))
     WHERE place <= ? ORDER BY service, id DESC`,
    since,
    JSON.stringify(types),
    latest,
  );
  const counted = rows.map((row) => parseRow('events', CountedRowSchema, row));
  return [...Map.groupBy(counted, ({ service }) => service)].map(([service, found]) => ({
    service,
    count: found[0]?.count ?? 0,
    latest: found.map(({ at, message }) => ({ at, message })),
  }));
}
