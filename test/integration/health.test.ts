import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createServer } from '../../pkg/sockets/http.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import { type HealthChange, HealthMonitor } from '../../internal/health/monitor.ts';
import { probe, startProbe } from '../../internal/health/probe.ts';
import { waitUntilReady } from '../../internal/health/readiness.ts';
import type { Health } from '../../internal/model/health.ts';
import { HealthCheckSchema } from '../../internal/model/health-check.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { eventually } from '../support/proxy-raw.ts';

const log = createLogger({ name: 'test', level: 'silent', pretty: false });
const check = HealthCheckSchema.parse({ interval: '20ms', timeout: '5s' });
const host = '127.0.0.1';

async function backend(port = 0) {
  const server = createServer((_request, response) => response.end('ok'));
  server.listen(port, host);
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

it('sees an instance go away and come back over real connections', { timeout: 60_000 }, async () => {
  const keepAlive = setInterval(() => {}, 1_000); // the monitor's own timers do not hold the process
  const changes: HealthChange[] = [];
  const waiting: { to: Health; resolve: () => void }[] = [];
  const monitor = new HealthMonitor({
    startProbe,
    clock: systemClock,
    random: Math.random,
    log,
    onTransition: (change) => {
      changes.push(change);
      for (const { to, resolve } of waiting) if (to === change.to) resolve();
    },
  });
  const becomes = (to: Health) => new Promise<void>((resolve) => waiting.splice(0, waiting.length, { to, resolve }));

  const first = await backend();
  let running = first;
  try {
    monitor.set(new Map([['web-1', { host, port: first.port, check, incarnation: 'web-1#1' }]]));
    await monitor.firstRound();
    assert.equal(monitor.health('web-1'), 'healthy');

    const down = becomes('unhealthy');
    await first.stop();
    await down;

    const up = becomes('healthy');
    running = await backend(first.port);
    await up;
    assert.deepEqual(
      changes.map(({ from, to }) => `${from} > ${to}`),
      ['unknown > healthy', 'healthy > unhealthy', 'unhealthy > healthy'],
    );
    assert.equal(changes[1]?.cause, 'connect ECONNREFUSED');
  } finally {
    monitor.stop();
    clearInterval(keepAlive);
    await running.stop();
  }
});

it('is ready when a backend that starts late answers its first probe', { timeout: 60_000 }, async () => {
  const reserved = await backend();
  await reserved.stop();
  let probes = 0;
  let late: Awaited<ReturnType<typeof backend>> | undefined;
  const keepAlive = setInterval(() => {}, 1_000);
  try {
    const readiness = await waitUntilReady({
      probe: async (signal) => {
        const result = await probe({ host, port: reserved.port }, check, signal);
        probes += 1;
        if (probes === 2) late = await backend(reserved.port);
        return result;
      },
      intervalMs: 10,
      deadlineMs: 15_000,
      signal: new AbortController().signal,
      clock: systemClock,
    });
    assert.equal(readiness.ready, true);
    assert.equal(probes, 3);
  } finally {
    clearInterval(keepAlive);
    await late?.stop();
  }
});

describe('the connections of the probes', () => {
  /** A backend that counts, and a monitor that probes it. */
  async function setUp() {
    const seen = { requests: 0, connections: 0, open: 0, status: 200 };
    const server = createServer((_request, response) => {
      seen.requests += 1;
      response.writeHead(seen.status).end();
    });
    server.on('connection', (socket) => {
      seen.connections += 1;
      seen.open += 1;
      socket.on('close', () => (seen.open -= 1));
    });
    server.listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const monitor = new HealthMonitor({ startProbe, clock: systemClock, random: Math.random, log, onTransition() {} });
    const set = (incarnation: string, changes: object = {}) =>
      monitor.set(new Map([['web-1', { host, port, check: { ...check, ...changes }, incarnation }]]));
    const probes = async (count: number) => {
      const { requests } = seen;
      await eventually(`${count} probes`, () => seen.requests >= requests + count);
    };
    const dispose = async () => {
      monitor.stop();
      await eventually('none is open', () => seen.open === 0);
      await new Promise((resolve) => server.close(resolve));
    };
    return { seen, monitor, set, probes, [Symbol.asyncDispose]: dispose };
  }

  it('are few while the instance is healthy, and none when it is probed no more', async () => {
    await using site = await setUp();
    const { seen, monitor, set, probes } = site;
    set('web-1#1');
    await probes(25);
    assert.ok(seen.connections <= 4, `${seen.connections} connections`);
    assert.ok(seen.open <= 1);
    monitor.set(new Map());
    await eventually('none is open', () => seen.open === 0);
  });

  it('begin anew with another process, and with other settings', async () => {
    await using site = await setUp();
    const { seen, set, probes } = site;
    for (const [incarnation, changes] of [
      ['1', {}],
      ['2', {}],
      ['2', { path: '/up' }],
    ] as const) {
      const { connections } = seen;
      set(incarnation, changes);
      await probes(2);
      assert.ok(seen.connections > connections);
      assert.ok(seen.open <= 2); // the one before may be about to close
    }
  });

  it('are new ones as long as it is in doubt', async () => {
    await using site = await setUp();
    const { seen, monitor, set, probes } = site;
    set('web-1#1');
    await probes(3);
    seen.status = 503;
    await eventually('it is unhealthy', () => monitor.health('web-1') === 'unhealthy');
    const { requests, connections } = seen;
    await probes(5);
    assert.equal(seen.connections - connections, seen.requests - requests);
    seen.status = 200;
    await eventually('it is healthy', () => monitor.health('web-1') === 'healthy');
    const before = seen.connections;
    monitor.reportFailure('web-1', 'connect ECONNREFUSED');
    await eventually('it is healthy again', () => monitor.health('web-1') === 'healthy');
    assert.ok(seen.connections >= before + 2, 'both probes of the rise use a connection of their own');
  });
});
