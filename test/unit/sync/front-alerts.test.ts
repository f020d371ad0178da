import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExaminedService } from '../../../internal/health/health-alerts.ts';
import type { Health } from '../../../internal/model/health.ts';
import { FrontAlerts } from '../../../internal/sync/front-alerts.ts';
import type { Alert } from '../../../pkg/alerts/alert.ts';
import { RecordingSink } from '../../support/alert-sink.ts';
import { instance } from '../../support/instance-row.ts';
import { settle } from '../../support/manual-clock.ts';

/** What is left to take over. */
class TakenSink extends RecordingSink {
  left: Alert[] = [];
  asked = 0;

  async takeOver(): Promise<Alert[]> {
    this.asked += 1;
    return this.left.splice(0);
  }
}

function alertOf(key: string, service?: string): Alert {
  return { key, severity: 'warning', title: key, service, at: 0 };
}

function setUp({ areSome = false } = {}) {
  const sink = new TakenSink();
  let services: ExaminedService[] | null = null;
  const alerts = new FrontAlerts({
    front: 'nginx on host-a',
    proxyId: 'nginx:0a1b2c@host-a-1-a',
    sink,
    follow: async () => {},
    lastWords: { of: async () => [] },
    services: () => services,
    areSome: () => areSome,
    now: () => 1_000,
    namesNodes: true,
  });
  /** Health of the instances of services, by their names. */
  const find = async (found: Readonly<Record<string, readonly Health[]>>) => {
    services = Object.entries(found).map(([name, healths]) => ({
      name,
      upstreams: () =>
        healths.map((condition, index) => {
          const row = instance(`${name}-${index}`, { service: name });
          const isFit = condition === 'healthy';
          const findings = { condition, isFit, standing: 'in', ejection: null, healthCause: 'status 500' } as const;
          return { id: row.id, instance: row, ...findings };
        }),
    }));
    alerts.changed();
    await settle();
  };
  return { alerts, sink, find };
}

describe('alerts of a front', () => {
  it('tell of instances and services that are down, once it speaks', async () => {
    const { alerts, sink, find } = setUp();
    await find({ web: ['healthy', 'unhealthy'], api: ['unhealthy'] });
    assert.deepEqual(sink.take(), []);
    await alerts.lead(true);
    assert.deepEqual(sink.take(), ['! instance-down:web/web-1', '! instance-down:api/api-0', '! service-down:api/']);
    await find({ web: ['healthy', 'healthy'] });
    assert.deepEqual(sink.take(), ['ok instance-down:api/api-0', 'ok service-down:api/', 'ok instance-down:web/web-1']);
  });

  it('are left to a load balancer that comes', async () => {
    const { alerts, sink, find } = setUp();
    await find({ web: ['unhealthy', 'healthy'] });
    await alerts.lead(true);
    sink.take();
    await alerts.lead(false);
    await find({ web: ['healthy', 'healthy'] });
    assert.deepEqual(sink.take(), ['left instance-down:web/web-0']);
  });

  it('go on where a load balancer has stopped, and end what troubled that one alone', async () => {
    const { alerts, sink, find } = setUp();
    await find({ web: ['healthy', 'unhealthy'] });
    const left = ['instance-down:web/web-0', 'instance-down:web/web-1'].map((key) => alertOf(key, 'web'));
    sink.left = [...left, alertOf('instance-down:gone/gone-0', 'gone'), alertOf('thread-crashed')];
    await alerts.lead(true);
    assert.deepEqual(sink.take().toSorted(), [
      '! instance-down:web/web-1',
      'ok instance-down:gone/gone-0',
      'ok instance-down:web/web-0',
      'ok thread-crashed',
    ]);
    await alerts.lead(true);
    assert.equal(sink.asked, 2);
  });

  it('are taken over when something is known of the services, not before: all would seem to be over', async () => {
    const { alerts, sink, find } = setUp();
    sink.left = [alertOf('instance-down:web/web-0', 'web')];
    await alerts.lead(true);
    assert.deepEqual([sink.asked, sink.take()], [0, []]);
    await find({ web: ['unhealthy', 'healthy'] });
    await alerts.lead(true);
    assert.deepEqual([sink.asked, sink.take()], [1, ['! instance-down:web/web-0']]);
  });

  it('give back what others have told of services that it does not serve, and asks no more', async () => {
    const { alerts, sink, find } = setUp({ areSome: true });
    await find({ web: ['healthy'] });
    sink.left = [alertOf('instance-down:api/api-0', 'api'), alertOf('instance-down:web/web-0', 'web')];
    await alerts.lead(true);
    assert.deepEqual(sink.take(), ['left instance-down:api/api-0', 'ok instance-down:web/web-0']);
    await alerts.lead(true);
    assert.equal(sink.asked, 1);
  });

  it('tell what is wrong with the front itself, whoever speaks', () => {
    const { alerts, sink } = setUp();
    alerts.behind('"nginx -t" refuses the new file');
    alerts.warned(['no slot for a', 'no slot for b']);
    const [behind, lacks] = sink.raised;
    assert.deepEqual([behind?.title, behind?.severity], ['nginx on host-a does not take changes over', 'critical']);
    assert.match(behind?.cause ?? '', /^"nginx -t" refuses the new file\. It goes on/);
    assert.deepEqual([lacks?.title, lacks?.cause], ['nginx on host-a lacks instances', 'no slot for a\nno slot for b']);
    sink.take();
    alerts.behind(null);
    alerts.warned([]);
    assert.deepEqual(sink.take(), [
      'ok front-behind:nginx:0a1b2c@host-a-1-a',
      'ok front-lacks:nginx:0a1b2c@host-a-1-a',
    ]);
  });
});
