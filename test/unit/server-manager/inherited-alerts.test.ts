import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InheritedAlerts } from '../../../cmd/server-manager/inherited-alerts.ts';
import { AlertDispatcher } from '../../../pkg/alerts/dispatcher.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { alertAt, FakeLog, FakeNotifier, MemoryStore } from '../alerts/support.ts';

/** A manager that was killed with these alerts active, and the next one. */
async function setUp(...keys: readonly { readonly key: string; readonly instance?: string }[]) {
  const store = new MemoryStore();
  const first = new ManualClock();
  const before = new AlertDispatcher({ notifiers: [new FakeNotifier()], store, clock: first, log: new FakeLog() });
  for (const each of keys) before.raise(alertAt(first.now(), each));
  await first.advance(10_000);
  const clock = new ManualClock();
  const alerts = new AlertDispatcher({ notifiers: [new FakeNotifier()], store, clock, log: new FakeLog() });
  const inherited = new InheritedAlerts(alerts, clock);
  await inherited.takeOver();
  return { clock, alerts, inherited, active: () => alerts.active().map(({ key }) => key) };
}

describe('the alerts of a manager that is gone', () => {
  it('end at once when they are about instances that are gone', async () => {
    const { inherited, active } = await setUp(
      { key: 'crash-loop:web-1', instance: 'web-1' },
      { key: 'crash-loop:web-2', instance: 'web-2' },
    );
    inherited.check(new Set(['web-2']));
    assert.deepEqual(active(), ['crash-loop:web-2']);
  });

  it('end after a while when the trouble does not show again', async () => {
    const { alerts, clock, inherited, active } = await setUp({ key: 'no-free-port:web' }, { key: 'no-free-port:api' });
    inherited.check(new Set());
    alerts.raise(alertAt(clock.now(), { key: 'no-free-port:api' }));
    await clock.advance(59_999);
    assert.equal(active().length, 2);
    await clock.advance(1);
    assert.deepEqual(active(), ['no-free-port:api']);
  });

  it('stay when only a deployment, an instance that runs well, or a look at a rule ends them', async () => {
    const { clock, inherited, active } = await setUp(
      { key: 'deployment:web' },
      { key: 'crash-loop:web-1', instance: 'web-1' },
      { key: 'disk:/data/90%' },
    );
    inherited.check(new Set(['web-1']));
    await clock.advance(3_600_000);
    assert.deepEqual(active(), ['deployment:web', 'crash-loop:web-1', 'disk:/data/90%']);
  });
});
