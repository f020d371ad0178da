import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { DataPlane } from '../../cmd/load-balancer/data-plane.ts';
import { newProxyId, passingSecret } from '../../cmd/load-balancer/identity.ts';
import { checkConfig } from '../../internal/config/load.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { WebhookReceiver } from '../support/alert-receivers.ts';
import { closedPort, eventually } from '../support/proxy-raw.ts';

/** Takes no requests. */
const DEAF = { rescue() {}, upstreamRemoved() {} };
const RULE = { name: 'half of web', when: 'unhealthy', above: '50%', for: '200ms' };

it('a broken rule outlives its load balancer: the next one repeats nothing, and ends it when the rule is taken away', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heimdall-rules-'));
  await using receiver = new WebhookReceiver(true);
  const port = await closedPort();
  await receiver.listen(port);
  const configOf = (...rules: readonly object[]) => {
    const services = [{ name: 'web', servers: ['127.0.0.1:9'], healthCheck: { interval: '200ms', timeout: '3s' } }];
    const alerts = { webhooks: [{ url: `http://127.0.0.1:${port}/` }], groupWindow: '100ms', rules };
    return checkConfig({ services, alerts }, { env: {}, cwd: folder }).config;
  };
  const start = async () => {
    const log = createLogger({ name: 'test', level: 'silent' });
    const registry = openProxyRegistry({ path: join(folder, 'r.db'), proxyId: newProxyId(), pid: process.pid });
    const config = configOf(RULE);
    const plane = new DataPlane({ config, registry, cookieSecret: passingSecret(), log, ...DEAF });
    await plane.start(config);
    return plane;
  };
  /** The lines about the rule, whatever else their messages tell. */
  const told = () =>
    receiver.taken.flatMap(({ text }) => text?.split('\n').filter((line) => line.includes(RULE.name)) ?? []);

  const first = await start();
  await eventually('the alert', () => told().length > 0);
  await first.stop();
  const second = await start();
  await eventually('the next one to go on with it', () =>
    second.alerts.active().some(({ title }) => title.includes(RULE.name)),
  );
  assert.equal(second.rules.views()[0]?.state, 'firing');
  second.configure(configOf());
  await eventually('its end', () => told().length > 1);
  await second.stop();
  await rm(folder, { recursive: true });
  const [begins = '', ends = '', ...others] = told();
  assert.match(begins, /^WARNING: half of web \(web: more than 50% of the instances unhealthy\)/);
  assert.match(ends, /^RESOLVED after .*: half of web/);
  assert.deepEqual(others, []);
});
