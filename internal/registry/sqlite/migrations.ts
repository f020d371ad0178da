/**
 * The schema, step by step: number n brings a store from version n - 1 to n. A published step is never edited.
 * Each table (of `proxies`, `proxy_leases`, `alerts` and `alert_outbox`: each row) has one writing process.
 */
export const MIGRATIONS: readonly string[] = [
  // 1: desired state, events, and what the load balancers tell. Written by the manager: meta, services, instances,
  // events, managers. Written by the load balancers: proxies, proxy_leases, health.
  `
  CREATE TABLE meta (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    registry_id TEXT NOT NULL,
    revision    INTEGER NOT NULL
  ) STRICT;
  INSERT INTO meta (id, registry_id, revision) VALUES (1, lower(hex(randomblob(8))), 0);

  CREATE TABLE services (
    name       TEXT PRIMARY KEY,
    desired    INTEGER NOT NULL CHECK (desired >= 0),
    configured INTEGER NOT NULL CHECK (configured >= 0)
  ) STRICT;

  CREATE TABLE instances (
    id         TEXT PRIMARY KEY,
    service    TEXT NOT NULL,
    host       TEXT NOT NULL,
    port       INTEGER NOT NULL,
    weight     INTEGER NOT NULL,
    version    TEXT,
    lifecycle  TEXT NOT NULL,
    process    TEXT, -- JSON
    env        TEXT NOT NULL, -- JSON
    started_at INTEGER,
    restarts   INTEGER NOT NULL,
    last_error TEXT,
    UNIQUE (host, port)
  ) STRICT;

  CREATE TABLE events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,
    type        TEXT NOT NULL,
    service     TEXT,
    instance_id TEXT,
    message     TEXT NOT NULL,
    data        TEXT NOT NULL -- JSON
  ) STRICT;
  CREATE INDEX events_at ON events (at);

  CREATE TABLE managers (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    pid          INTEGER NOT NULL,
    started_at   INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE proxies (
    id               TEXT PRIMARY KEY,
    pid              INTEGER NOT NULL,
    started_at       INTEGER NOT NULL,
    heartbeat_at     INTEGER NOT NULL,
    applied_revision INTEGER
  ) STRICT;

  CREATE TABLE proxy_leases (
    proxy_id    TEXT NOT NULL REFERENCES proxies (id) ON DELETE CASCADE,
    instance_id TEXT NOT NULL,
    in_flight   INTEGER NOT NULL,
    PRIMARY KEY (proxy_id, instance_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE health (
    instance_id TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,
    health      TEXT NOT NULL,
    cause       TEXT NOT NULL,
    since       INTEGER NOT NULL,
    proxy_id    TEXT NOT NULL,
    reported_at INTEGER NOT NULL
  ) STRICT;
  `,
  // 2: releases, deployments and what was set by hand (written by the manager); traffic, demand and latencies (written by
  // the load balancers).
  `
  ALTER TABLE services ADD COLUMN release TEXT NOT NULL
    DEFAULT '{"deployment":null,"version":null,"variant":null,"env":{}}'; -- JSON
  ALTER TABLE services ADD COLUMN overrides TEXT NOT NULL DEFAULT '{}'; -- JSON
  ALTER TABLE services ADD COLUMN paused_since INTEGER;
  ALTER TABLE services ADD COLUMN scheduled INTEGER;

  ALTER TABLE instances ADD COLUMN variant TEXT;
  ALTER TABLE instances ADD COLUMN deployment INTEGER;

  CREATE TABLE deployments (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    service     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    state       TEXT NOT NULL,
    release     TEXT NOT NULL, -- JSON
    previous    TEXT, -- JSON
    by          TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    reason      TEXT
  ) STRICT;
  CREATE INDEX deployments_service ON deployments (service, state);
  CREATE UNIQUE INDEX deployments_active ON deployments (service) WHERE state IN ('running', 'rolling-back');

  CREATE TABLE deployment_steps (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    deployment  INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    at          INTEGER NOT NULL,
    message     TEXT NOT NULL,
    instance_id TEXT,
    log_tail    TEXT NOT NULL -- JSON
  ) STRICT;
  CREATE INDEX deployment_steps_deployment ON deployment_steps (deployment);

  CREATE TABLE proxy_traffic (
    proxy_id    TEXT NOT NULL REFERENCES proxies (id) ON DELETE CASCADE,
    instance_id TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    requests    INTEGER NOT NULL,
    failures    INTEGER NOT NULL,
    in_flight   INTEGER NOT NULL,
    PRIMARY KEY (proxy_id, instance_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE proxy_demand (
    proxy_id TEXT NOT NULL REFERENCES proxies (id) ON DELETE CASCADE,
    service  TEXT NOT NULL,
    waiting  INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (proxy_id, service)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE latencies (
    instance_id TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,
    cost        REAL NOT NULL,
    at          INTEGER NOT NULL
  ) STRICT;
  `,
  // 3: ejections (written by the load balancers).
  `
  CREATE TABLE ejections (
    instance_id TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,
    cause       TEXT NOT NULL,
    since       INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    times       INTEGER NOT NULL
  ) STRICT;
  `,
  // 4: alerts. Of `alerts` and `alert_outbox` each row is written by its owner: a load balancer's id, or `manager:` and what
  // tells one manager from another; '' is nobody. What people say of alerts is written by the manager.
  `
  CREATE TABLE alerts (
    id          TEXT PRIMARY KEY,
    owner       TEXT NOT NULL,
    key         TEXT NOT NULL,
    alert       TEXT NOT NULL, -- JSON
    began_at    INTEGER NOT NULL,
    resolved_at INTEGER,
    told        INTEGER NOT NULL CHECK (told IN (0, 1)),
    announced   TEXT NOT NULL, -- JSON
    occurrences INTEGER NOT NULL,
    open        INTEGER NOT NULL CHECK (open IN (0, 1))
  ) STRICT;
  CREATE INDEX alerts_open ON alerts (owner) WHERE open = 1;
  CREATE INDEX alerts_began_at ON alerts (began_at);

  CREATE TABLE alert_outbox (
    message TEXT NOT NULL,
    channel TEXT NOT NULL,
    owner   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL, -- JSON
    PRIMARY KEY (message, channel)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE alert_acknowledgements (
    alert_id TEXT PRIMARY KEY REFERENCES alerts (id) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    by       TEXT NOT NULL,
    comment  TEXT NOT NULL
  ) STRICT;

  CREATE TABLE alert_silences (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    matcher    TEXT NOT NULL, -- JSON
    created_at INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    by         TEXT NOT NULL,
    comment    TEXT NOT NULL
  ) STRICT;
  `,
  // 5: alert channels that came through the API (written by the manager).
  `
  CREATE TABLE alert_channels (
    name TEXT PRIMARY KEY,
    spec TEXT NOT NULL, -- JSON
    at   INTEGER NOT NULL,
    by   TEXT NOT NULL
  ) STRICT;
  `,
  // 6: requests that carry an idempotency key (written by the manager).
  `
  CREATE TABLE request_keys (
    owner       TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    at          INTEGER NOT NULL,
    claimant    TEXT NOT NULL,
    answer      TEXT, -- JSON
    PRIMARY KEY (owner, key)
  ) STRICT;
  CREATE INDEX request_keys_at ON request_keys (at);
  `,
  // 7: what happened lately (each row written by its load balancer; whichever comes first takes old ones away), and until when
  // somebody wants to know (written by the manager). Rows may outlive their load balancers.
  `
  CREATE TABLE traffic_samples (
    proxy_id  TEXT NOT NULL,
    begins_at INTEGER NOT NULL,
    ends_at   INTEGER NOT NULL,
    body      TEXT NOT NULL, -- JSON
    UNIQUE (proxy_id, begins_at)
  ) STRICT;

  CREATE TABLE live_watch (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    until INTEGER NOT NULL
  ) STRICT;
  `,
  // 8: nodes, and instances that agents announce (written by the manager).
  `
  ALTER TABLE instances ADD COLUMN node TEXT;
  ALTER TABLE instances ADD COLUMN agent TEXT; -- JSON
  ALTER TABLE managers ADD COLUMN node TEXT;
  ALTER TABLE managers ADD COLUMN note TEXT; -- JSON
  `,
  // 9: since which revision each instance is what it is, so that readers parse only what they do not know. Triggers see to it, for a
  // process of an earlier version may be the one that writes.
  `
  ALTER TABLE instances ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX instances_changed ON instances (changed);
  CREATE INDEX instances_agent ON instances (agent ->> '$.id') WHERE agent IS NOT NULL;
  CREATE TRIGGER instances_inserted AFTER INSERT ON instances BEGIN
    UPDATE instances SET changed = (SELECT revision + 1 FROM meta) WHERE id = NEW.id;
  END;
  CREATE TRIGGER instances_updated AFTER UPDATE ON instances WHEN NEW.changed = OLD.changed BEGIN
    UPDATE instances SET changed = (SELECT revision + 1 FROM meta) WHERE id = NEW.id;
  END;
  `,
  // 10: fronts that cannot tell how many requests there are. What is lost is told anew within a second.
  `
  DROP TABLE proxy_demand;
  CREATE TABLE proxy_demand (
    proxy_id TEXT NOT NULL REFERENCES proxies (id) ON DELETE CASCADE,
    service  TEXT NOT NULL,
    waiting  INTEGER NOT NULL,
    requests INTEGER,
    PRIMARY KEY (proxy_id, service)
  ) STRICT, WITHOUT ROWID;
  `,
];
