import type { AddedChannel } from '../../../pkg/alerts/added-channel.ts';
import type { Acknowledgement, AlertBook, AlertControls, AlertRecord, Silence } from '../../../pkg/alerts/book.ts';
import { alertNotFound, channelNotFound, silenceNotFound } from '../refusals.ts';
import type { Connection } from './connection.ts';
import type { Handle } from './handle.ts';
import { AlertRowSchema, ChannelRowSchema, IdRowSchema, NumberRowSchema, parseRow, SilenceRowSchema } from './rows.ts';

const ALERTS = `SELECT alerts.id, alert, resolved_at AS resolvedAt, announced, acked.at AS ackedAt, acked.by AS ackedBy, acked.comment
  FROM alerts LEFT JOIN alert_acknowledgements AS acked ON acked.alert_id = alerts.id`;
const SILENCES = 'SELECT id, matcher AS match, created_at AS createdAt, until, by, comment FROM alert_silences';

const CHANNELS = 'SELECT name, spec, at, by FROM alert_channels';

/** The history of alerts in the SQLite registry; what people say of alerts is written by the manager. */
export class SqliteAlertBook implements AlertBook {
  readonly #connection: Connection;
  readonly #clock: () => number;

  constructor(connection: Connection, clock: () => number) {
    this.#connection = connection;
    this.#clock = clock;
  }

  alerts({ limit, state, service }: Parameters<AlertBook['alerts']>[0]): Promise<AlertRecord[]> {
    return this.#connection.read((handle) => {
      const rows = handle.all(
        `${ALERTS} WHERE (resolved_at IS NULL) IS coalesce(?, resolved_at IS NULL)
           AND json_extract(alert, '$.service') IS coalesce(?, json_extract(alert, '$.service'))
         ORDER BY began_at DESC, alerts.id LIMIT ?`,
        state === undefined ? null : Number(state === 'active'),
        service ?? null,
        limit,
      );
      return rows.map(recordOf);
    });
  }

  acknowledge(name: string, { at, by, comment }: Acknowledgement): Promise<AlertRecord> {
    return this.#connection.write((handle) => {
      const { id } = findActive(handle, name);
      handle.run(
        'INSERT OR REPLACE INTO alert_acknowledgements (alert_id, at, by, comment) VALUES (?, ?, ?, ?)',
        id,
        at,
        by,
        comment,
      );
      return findActive(handle, id);
    });
  }

  silences(): Promise<Silence[]> {
    return this.#connection.read((handle) => silencesAfter(handle, this.#clock()));
  }

  addSilence({ match, createdAt, until, by, comment }: Omit<Silence, 'id'>): Promise<Silence> {
    return this.#connection.write((handle) => {
      handle.run('DELETE FROM alert_silences WHERE until <= ?', this.#clock());
      handle.run(
        'INSERT INTO alert_silences (matcher, created_at, until, by, comment) VALUES (?, ?, ?, ?, ?)',
        JSON.stringify(match),
        createdAt,
        until,
        by,
        comment,
      );
      const { id } = parseRow('sqlite', NumberRowSchema, handle.get('SELECT last_insert_rowid() AS id'));
      return { id, match, createdAt, until, by, comment };
    });
  }

  removeSilence(id: number): Promise<Silence> {
    return this.#connection.write((handle) => {
      const row = handle.get(`${SILENCES} WHERE id = ?`, id);
      if (row === undefined) throw silenceNotFound(id);
      handle.run('DELETE FROM alert_silences WHERE id = ?', id);
      return parseRow('alert_silences', SilenceRowSchema, row);
    });
  }

  channels(): Promise<AddedChannel[]> {
    return this.#connection.read(readChannels);
  }

  putChannel({ name, spec, at, by }: AddedChannel): Promise<void> {
    return this.#connection.write((handle) => {
      const put = 'INSERT OR REPLACE INTO alert_channels (name, spec, at, by) VALUES (?, ?, ?, ?)';
      handle.run(put, name, JSON.stringify(spec), at, by);
    });
  }

  removeChannel(name: string): Promise<AddedChannel> {
    return this.#connection.write((handle) => {
      const row = handle.get(`${CHANNELS} WHERE name = ?`, name);
      if (row === undefined) throw channelNotFound(name);
      handle.run('DELETE FROM alert_channels WHERE name = ?', name);
      return parseRow('alert_channels', ChannelRowSchema, row);
    });
  }
}

/** Also those that are over. */
export function readAllSilences(handle: Handle): Silence[] {
  return handle.all(`${SILENCES} ORDER BY id`).map((row) => parseRow('alert_silences', SilenceRowSchema, row));
}

export function readChannels(handle: Handle): AddedChannel[] {
  return handle.all(`${CHANNELS} ORDER BY name`).map((row) => parseRow('alert_channels', ChannelRowSchema, row));
}

/** @param now - epoch milliseconds. */
export function readControls(handle: Handle, now: number): AlertControls {
  const acknowledged = handle.all(
    'SELECT alert_id AS id FROM alert_acknowledgements WHERE alert_id IN (SELECT id FROM alerts WHERE open = 1)',
  );
  return {
    silences: silencesAfter(handle, now),
    acknowledged: new Set(acknowledged.map((row) => parseRow('alert_acknowledgements', IdRowSchema, row).id)),
  };
}

function silencesAfter(handle: Handle, now: number): Silence[] {
  return readAllSilences(handle).filter(({ until }) => until > now);
}

/** @throws {HeimdallError} ALERT_NOT_FOUND */
function findActive(handle: Handle, name: string): AlertRecord {
  const row = handle.get(
    `${ALERTS} WHERE resolved_at IS NULL AND (alerts.id = ? OR key = ?) ORDER BY began_at DESC LIMIT 1`,
    name,
    name,
  );
  if (row === undefined) throw alertNotFound(name);
  return recordOf(row);
}

function recordOf(row: unknown): AlertRecord {
  const { ackedAt, ackedBy, comment, announced, ...record } = parseRow('alerts', AlertRowSchema, row);
  const acknowledgement = ackedAt === null ? null : { at: ackedAt, by: ackedBy ?? '', comment: comment ?? '' };
  return { ...record, announced: announced.some((at) => at >= record.alert.at), acknowledgement };
}
