import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { systemClock } from '../../pkg/clock/clock.ts';
import { type HealthChange, HealthMonitor } from '../../internal/health/monitor.ts';
import { probe } from '../../internal/health/probe.ts';
import { waitUntilReady } from '../../internal/health/readiness.ts';
import type { Health } from '../../internal/model/health.ts';
import { HealthCheckSchema } from '../../internal/model/health-check.ts';
import { createLogger } from '../../pkg/logger/logger.ts';

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

it('sees an instance go away and come back over real connections', { timeout: 20_000 }, async () => {
  const keepAlive = setInterval(() => {}, 1_000); // the monitor's own timers do not hold the process
  const changes: HealthChange[] = [];
  const waiting: { to: Health; resolve: () => void }[] = [];
  const monitor = new HealthMonitor({
    probe,
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

it('is ready when a backend that starts late answers its first probe', { timeout: 20_000 }, async () => {
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
