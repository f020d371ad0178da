import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { DataPlane } from '../../cmd/load-balancer/data-plane.ts';
import { newProxyId, passingSecret } from '../../cmd/load-balancer/identity.ts';
import { checkConfig } from '../../internal/config/load.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { WebhookSpecSchema } from '../../pkg/alerts/added-channel.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { WebhookReceiver } from '../support/alert-receivers.ts';
import { closedPort, eventually } from '../support/proxy-raw.ts';

/** Takes no requests. */
const DEAF = { rescue() {}, upstreamRemoved() {} };

it('a channel from the API is told of the own troubles of every load balancer, not only of the one that speaks for all', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heimdall-channels-'));
  await using receiver = new WebhookReceiver(true);
  const port = await closedPort();
  await receiver.listen(port);
  const path = join(folder, 'r.db');
  const alerts = { groupWindow: '100ms', allowedNetworks: ['127.0.0.1'] };
  const services = [{ name: 'web', servers: ['127.0.0.1:9'] }];
  const { config } = checkConfig({ services, alerts }, { env: {}, cwd: folder });
  const manager = await openManagerRegistry({ path });
  const planes = [];
  for (let count = 0; count < 2; count += 1) {
    const log = createLogger({ name: 'test', level: 'silent' });
    const registry = openProxyRegistry({ path, proxyId: newProxyId(), pid: process.pid });
    const plane = new DataPlane({ config, registry, cookieSecret: passingSecret(), log, ...DEAF });
    planes.push(plane);
    await plane.start(config);
  }
  const webhook = WebhookSpecSchema.parse({ url: `http://127.0.0.1:${port}/` });
  await manager.alertBook.putChannel({ name: 'chat', ...webhook, at: 1, by: 'test' });
  for (const [index, plane] of planes.entries()) {
    plane.alerts.raise({ key: `own:${index}`, severity: 'critical', title: `trouble of ${index}`, at: Date.now() });
  }
  const told = () => receiver.taken.map(({ text }) => text ?? '').join('\n');
  await eventually('the troubles of both', () => /trouble of 0/.test(told()) && /trouble of 1/.test(told()));
  for (const plane of planes) await plane.stop();
  await manager.close();
  await rm(folder, { recursive: true });
  assert.match(told(), /CRITICAL: trouble of 1/);
});
