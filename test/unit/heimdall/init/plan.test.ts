import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nextSteps } from '../../../../cmd/heimdall/init/next-steps.ts';
import { configOf, DEFAULT_PORTS, type Plan, TCP } from '../../../../cmd/heimdall/init/plan.ts';
import { checkConfig } from '../../../../internal/config/load.ts';

const PLAN: Plan = {
  name: 'shop',
  command: { env: {}, command: ['node', 'server.js'] },
  instances: 2,
  ports: DEFAULT_PORTS,
  health: '/healthz',
  webhook: null,
  mail: null,
};
const FILE = '/srv/shop/config.json';

describe('what heimdall init says to run next', () => {
  it('can be copied, whatever folders and files are called', () => {
    const steps = nextSteps(join(process.cwd(), 'my "shop"', "it's.json"), PLAN);
    assert.match(steps, /\n {2}cd 'my "shop"' && \S*heimdall up --config 'it'"'"'s\.json'\n/);
  });
});

describe('the configuration that heimdall init writes', () => {
  it('has what differs from the defaults, and no more', () => {
    assert.deepEqual(configOf(PLAN, FILE, '/srv/shop'), {
      services: [{ name: 'shop', command: ['node', 'server.js'], instances: 2, healthCheck: { path: '/healthz' } }],
    });
    const other = configOf(
      { ...PLAN, health: TCP, command: { env: { A: 'b' }, command: ['x'] } },
      '/etc/shop.json',
      '/srv/shop',
    );
    assert.deepEqual(other.services, [
      { name: 'shop', command: ['x'], instances: 2, env: { A: 'b' }, cwd: '../srv/shop', healthCheck: { type: 'tcp' } },
    ]);
    const moved = configOf({ ...PLAN, ports: { proxy: 80, admin: 8082, manager: 7001 } }, FILE, '/srv/shop');
    assert.deepEqual([moved.manager, moved.proxy], [{ port: 7001 }, { port: 80, admin: { port: 8082 } }]);
  });

  it('is valid, with alerts for each receiver in its form', () => {
    for (const [webhook, format] of [
      ['https://hooks.slack.com/services/x', 'slack'],
      ['https://discord.com/api/webhooks/x', 'discord'],
      ['https://x.webhook.office.com/y', 'teams'],
      ['https://example.com/hook', 'json'],
    ]) {
      const plan = {
        ...PLAN,
        webhook: webhook ?? null,
        mail: { to: 'me@example.org', server: 'mail.example.org:465' },
      };
      const { alerts } = checkConfig(configOf(plan, FILE, '/srv/shop'), { env: {}, cwd: '/srv/shop' }).config;
      assert.deepEqual(
        alerts.webhooks.map((channel) => channel.format),
        [format],
      );
      assert.deepEqual(
        alerts.email.map(({ host, port, encryption }) => [host, port, encryption]),
        [['mail.example.org', 465, 'tls']],
      );
    }
    const { alerts } = configOf({ ...PLAN, mail: { to: 'me@example.org', server: 'localhost:25' } }, FILE, '/srv/shop');
    assert.deepEqual(alerts?.email, [
      { host: 'localhost', port: 25, encryption: 'none', from: 'me@example.org', to: ['me@example.org'] },
    ]);
  });
});
