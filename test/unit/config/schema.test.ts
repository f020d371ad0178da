import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crossCheck } from '../../../internal/config/cross-checks.ts';
import { ConfigSchema } from '../../../internal/config/schema.ts';
import { MAX_HEAD_BYTES } from '../../../internal/proxy/middleware/listener.ts';

/** The sample of the design page, letter by letter. */
const SAMPLE = `{
  "manager":  { "host": "127.0.0.1", "port": 7000 },
  "proxy": {
    "host": "0.0.0.0", "port": 8080, "engine": "wire", "threads": "auto", "admin": { "host": "127.0.0.1", "port": 8081 },
    "timeouts": { "connect": "3s", "responseHead": "30s", "streamIdle": "5m", "requestHead": "10s", "bodyIdle": "60s", "keepAlive": "75s" },
    "limits": { "head": "16kb", "fields": 100, "target": "8kb", "body": null }, "trustedProxies": [], "retries": { "attempts": 2, "budget": 0.2 }
  },
  "registry": { "driver": "sqlite", "path": "data/registry.db" },
  "ports":    { "from": 9000, "to": 9999 },
  "services": [
    {
      "name": "web",
      "command": ["node", "cmd/test-server/main.ts"], "instances": 3, "env": {}, "cwd": ".",
      "servers": ["10.0.0.7:8080", { "address": "10.0.0.8:8080", "weight": 2 }],
      "routes": [{ "host": "*", "path": "/" }],
      "algorithm": "round-robin",
      "healthCheck": { "path": "/health", "interval": "1s", "timeout": "500ms", "rise": 2, "fall": 3 }
    }
  ],
  "alerts": { "email": [], "webhooks": [] }
}`;

describe('ConfigSchema', () => {
  it('takes the sample of the design page, which says of the proxy what is the default anyway', () => {
    const config = ConfigSchema.parse(JSON.parse(SAMPLE));
    assert.deepEqual(crossCheck(config), []);
    assert.deepEqual(config.proxy, ConfigSchema.parse({}).proxy);
    assert.equal(config.services[0]?.servers.length, 2);
  });

  it('takes a number of threads, the other engine, and the PROXY protocol', () => {
    const { threads, acceptProxyProtocol } = ConfigSchema.parse({
      proxy: { threads: 3, acceptProxyProtocol: true },
    }).proxy;
    assert.deepEqual([threads, acceptProxyProtocol], [3, true]);
    assert.equal(ConfigSchema.parse({ proxy: { engine: 'middleware' } }).proxy.engine, 'middleware');
  });

  it('fills in the documented defaults, with durations in milliseconds and sizes in bytes', () => {
    assert.deepEqual(ConfigSchema.parse({}), {
      manager: { host: '127.0.0.1', port: 7000, allowedHosts: [] },
      proxy: {
        host: '0.0.0.0',
        port: 8080,
        engine: 'wire',
        threads: 'auto',
        admin: { host: '127.0.0.1', port: 8081 },
        timeouts: {
          connect: 3_000,
          responseHead: 30_000,
          streamIdle: 300_000,
          requestHead: 10_000,
          bodyIdle: 60_000,
          keepAlive: 75_000,
          upstreamIdle: 60_000,
          retire: 600_000,
        },
        limits: { head: 16_384, fields: 100, target: 8_192, body: null },
        trustedProxies: [],
        acceptProxyProtocol: false,
        retries: { attempts: 2, budget: 0.2 },
        explain: { keep: 1_000, perSecond: 100 },
        tracing: null,
        upstreamHeader: null,
        accessLog: {
          output: 'stdout',
          format: 'auto',
          headers: [],
          rotation: { maxSize: 100 * 1024 ** 2, keep: 5 },
        },
      },
      registry: { driver: 'sqlite', path: 'data/registry.db' },
      node: { address: '127.0.0.1' },
      ports: { from: 9000, to: 9999 },
      services: [],
      alerts: {
        email: [],
        webhooks: [],
        allowedNetworks: [],
        rules: [],
        groupWindow: 10_000,
        repeatAfter: 300_000,
        dailySummary: { enabled: false, cron: '0 8 * * *' },
      },
      events: { keepDays: 30, prune: '30 3 * * *' },
      instanceLogs: { maxSize: 10 * 1024 * 1024, keep: 5, total: 1024 ** 3 },
      log: { level: 'info' },
    });
  });

  it('fills in the defaults of a service', () => {
    const [service] = ConfigSchema.parse({ services: [{ name: 'web', servers: ['10.0.0.7:8080'] }] }).services;
    assert.deepEqual(service?.servers, [{ host: '10.0.0.7', port: 8080, weight: 1 }]);
    assert.deepEqual(service?.routes, [{ host: '*', path: '/', rateLimit: null }]);
    assert.equal(service?.algorithm, 'round-robin');
    assert.equal(service?.healthCheck.interval, 1_000);
  });

  it('takes sizes and durations in their units', () => {
    const { limits, timeouts } = ConfigSchema.parse({
      proxy: { limits: { body: '1mb', head: '1.5kb' }, timeouts: { connect: '500ms', streamIdle: '1h' } },
    }).proxy;
    assert.deepEqual([limits.body, limits.head], [1_048_576, 1_536]);
    assert.deepEqual([timeouts.connect, timeouts.streamIdle], [500, 3_600_000]);
  });

  it('takes no limit of the request head that the engine could not keep', () => {
    const limitOf = (head: string) => ConfigSchema.safeParse({ proxy: { limits: { head } } }).data?.proxy.limits.head;
    assert.equal(limitOf('256kb'), MAX_HEAD_BYTES);
    assert.equal(limitOf(`${MAX_HEAD_BYTES + 1}b`), undefined);
  });

  it('takes e-mail and webhook channels', () => {
    const { alerts } = ConfigSchema.parse({
      alerts: {
        email: [{ host: 'smtp.example.org', from: 'heimdall@example.org', to: ['ops@example.org'] }],
        webhooks: [{ url: 'https://example.org/hook' }],
      },
    });
    assert.equal(alerts.email[0]?.encryption, 'starttls');
    assert.equal(alerts.webhooks[0]?.format, 'json');
  });
});
