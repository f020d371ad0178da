import type { AddedChannel } from '../../../pkg/alerts/added-channel.ts';
import type { AlertControls } from '../../../pkg/alerts/book.ts';
import type { AlertChanges, AlertStore, Delivery, Inheritance, Outage } from '../../../pkg/alerts/store.ts';
import { KEPT_ALERTS, MESSAGE_LIMIT_MS } from '../kept-for.ts';
import { HEARTBEAT_LIMIT_MS } from '../registry.ts';
import { readChannels, readControls } from './alert-book.ts';
import type { Connection } from './connection.ts';
import type { Handle } from './handle.ts';
import { DeliveryRowSchema, OutageRowSchema, parseRow } from './rows.ts';

/** How the owners of rows begin that are managers. */
export const MANAGER_PREFIX = 'manager:';
/** Owners of rows that a load balancer may take over; the parameter is the oldest heartbeat that counts. */
const GONE_PROXIES = `owner NOT GLOB '${MANAGER_PREFIX}*' AND owner NOT IN (SELECT id FROM proxies WHERE heartbeat_at >= ?)`;
/** There is one manager at a time. The parameter makes both of one form. */
const GONE_MANAGERS = `owner GLOB '${MANAGER_PREFIX}*' AND ? > 0`;

interface AlertStoreOptions {
  readonly connection: Connection;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Of the rows that are written. */
  readonly owner: string;
  /** An SQL condition on `owner`, and `?` for the oldest heartbeat that counts. */
  readonly gone: string;
}

/** The alerts of one process in the SQLite registry. */
export class SqliteAlertStore implements AlertStore {
  readonly #options: AlertStoreOptions;

  private constructor(options: AlertStoreOptions) {
    this.#options = options;
  }

  static ofManager(connection: Connection, clock: () => number, incarnation: string): SqliteAlertStore {
    return new SqliteAlertStore({ connection, clock, owner: `${MANAGER_PREFIX}${incarnation}`, gone: GONE_MANAGERS });
  }

  static ofProxy(connection: Connection, clock: () => number, proxyId: string): SqliteAlertStore {
    return new SqliteAlertStore({ connection, clock, owner: proxyId, gone: GONE_PROXIES });
  }

  save({ outages, released, made, settled }: AlertChanges): Promise<void> {
    const { connection, owner } = this.#options;
    return connection.write((handle) => {
      for (const outage of outages) saveOutage(handle, owner, outage);
      for (const id of released) handle.run("UPDATE alerts SET owner = '' WHERE id = ? AND owner = ?", id, owner);
      for (const delivery of made) saveDelivery(handle, owner, delivery);
      for (const { channel, notification } of settled) {
        handle.run('DELETE FROM alert_outbox WHERE message = ? AND channel = ?', notification.id, channel);
      }
      if (outages.some(({ open }) => !open)) prune(handle);
    });
  }

  controls(): Promise<AlertControls> {
    const { connection, clock } = this.#options;
    return connection.read((handle) => readControls(handle, clock()));
  }

  channels(): Promise<AddedChannel[]> {
    return this.#options.connection.read(readChannels);
  }

  async takeOver(): Promise<Inheritance> {
    const { connection, clock, owner, gone } = this.#options;
    const oldest = clock() - HEARTBEAT_LIMIT_MS;
    const left = `owner <> ? AND ${gone}`;
    const any = `SELECT 1 FROM alerts WHERE open = 1 AND ${left} UNION ALL SELECT 1 FROM alert_outbox WHERE ${left} LIMIT 1`;
    const some = await connection.read((handle) => handle.get(any, owner, oldest, owner, oldest));
    if (some === undefined) return { outages: [], deliveries: [] };
    return connection.write((handle) => {
      handle.run(`DELETE FROM alert_outbox WHERE at < ? AND ${left}`, clock() - MESSAGE_LIMIT_MS, owner, oldest);
      const outages = handle.all(
        `SELECT id, alert, resolved_at AS resolvedAt, told, announced, occurrences, open FROM alerts
         WHERE open = 1 AND ${left} ORDER BY began_at, id`,
        owner,
        oldest,
      );
      const deliveries = handle.all(
        `SELECT channel, body AS notification FROM alert_outbox WHERE ${left} ORDER BY at, message, channel`,
        owner,
        oldest,
      );
      handle.run(`UPDATE alerts SET owner = ? WHERE open = 1 AND ${left}`, owner, owner, oldest);
      handle.run(`UPDATE alert_outbox SET owner = ? WHERE ${left}`, owner, owner, oldest);
      return {
        outages: outages.map((row) => parseRow('alerts', OutageRowSchema, row)),
        deliveries: deliveries.map((row) => parseRow('alert_outbox', DeliveryRowSchema, row)),
      };
    });
  }
}

function saveOutage(handle: Handle, owner: string, outage: Outage): void {
  const { id, alert, resolvedAt, told, announced, occurrences, open } = outage;
  handle.run(
    `INSERT INTO alerts (id, owner, key, alert, began_at, resolved_at, told, announced, occurrences, open)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, alert = excluded.alert, began_at = excluded.began_at,
       resolved_at = excluded.resolved_at, told = excluded.told, announced = excluded.announced,
       occurrences = excluded.occurrences, open = excluded.open`,
    id,
    owner,
    alert.key,
    JSON.stringify(alert),
    Math.round(alert.at),
    resolvedAt === null ? null : Math.round(resolvedAt),
    Number(told),
    JSON.stringify(announced),
    occurrences,
    Number(open),
  );
}

function saveDelivery(handle: Handle, owner: string, { channel, notification }: Delivery): void {
  handle.run(
    'INSERT OR REPLACE INTO alert_outbox (message, channel, owner, at, body) VALUES (?, ?, ?, ?, ?)',
    notification.id,
    channel,
    owner,
    notification.at,
    JSON.stringify(notification),
  );
}

function prune(handle: Handle): void {
  handle.run(
    'DELETE FROM alerts WHERE open = 0 AND id NOT IN (SELECT id FROM alerts WHERE open = 0 ORDER BY began_at DESC LIMIT ?)',
    KEPT_ALERTS,
  );
}
