import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { after } from '../../../../internal/model/live-after.ts';
import type { LiveState, LiveTick } from '../../../../internal/model/live.ts';
import type { AlertView } from '../../../../internal/model/alert-view.ts';
import type { EventView } from '../../../../internal/model/event-view.ts';
import { changeBetween } from '../../../../internal/server/live/live-change.ts';
import { liveInstance, liveService, liveState, NO_TRAFFIC } from '../../../support/live-state.ts';

const A = liveInstance({ id: 'web-1', port: 9_001 }, { cpu: 1, memory: 5 });
const B = liveInstance({ id: 'web-2', port: 9_002 });
const C = liveInstance({ id: 'web-3', port: 9_003 });
const BUSY = { ...NO_TRAFFIC, rps: 12 };
const ALERT: AlertView = {
  id: '1',
  key: 'pool-empty:web',
  state: 'active',
  severity: 'critical',
  title: 'nobody is there',
  cause: null,
  service: 'web',
  instance: null,
  node: null,
  since: '2026-01-02T12:00:00.000Z',
  resolvedAt: null,
  durationMs: 1_000,
  announced: true,
  silenced: false,
  acknowledged: null,
};

function event(id: number): EventView {
  const at = '2026-01-02T12:00:00.000Z';
  return { id, at, type: 'instance.added', service: 'web', instanceId: 'web-1', message: `event ${id}`, data: {} };
}

function tick(before: LiveState, next: LiveState): LiveTick {
  return { at: next.at, ...changeBetween(before, next) };
}

describe('what a tick tells', () => {
  it('is nothing when nothing has changed', () => {
    const state = liveState({ services: [liveService('web')], instances: [A, B], alerts: [ALERT], events: [event(1)] });
    assert.deepEqual(changeBetween(state, structuredClone(state)), {});
    const later = { ...state, alerts: [{ ...ALERT, durationMs: 2_000 }] };
    assert.deepEqual(changeBetween(state, later), {}, 'an alert that grows older is no news');
  });

  it('is the figures alone of an instance of which nothing else has changed', () => {
    const before = liveState({ instances: [A, B] });
    const next = liveState({ instances: [{ ...A, traffic: BUSY, cpu: 2 }, B] });
    assert.deepEqual(changeBetween(before, next), { figures: { 'web-1': { traffic: BUSY, cpu: 2 } } });
  });

  const { cpu: _cpu, ...unmeasured } = A;
  const { resolvedAt: _none, ...rest } = ALERT;
  const changes: [what: string, before: Partial<LiveState>, next: Partial<LiveState>][] = [
    ['a first instance', {}, { instances: [A] }],
    ['an instance in between', { instances: [A, C] }, { instances: [A, B, C] }],
    ['an instance that is gone', { instances: [A, B, C] }, { instances: [A, C] }],
    [
      'another health',
      { instances: [A, B] },
      { instances: [A, { ...B, health: 'unhealthy', healthCause: 'timeout' }] },
    ],
    ['a figure that is not known any more', { instances: [A] }, { instances: [unmeasured] }],
    ['figures of one and the end of another', { instances: [A, B] }, { instances: [{ ...A, traffic: BUSY }] }],
    [
      'a new service before another',
      { services: [liveService('web')] },
      { services: ['api', 'web'].map((name) => liveService(name)) },
    ],
    [
      'another order',
      { services: ['api', 'web'].map((name) => liveService(name)) },
      { services: ['web', 'api'].map((name) => liveService(name)) },
    ],
    [
      'one busy service of two',
      { services: ['api', 'web'].map((name) => liveService(name)) },
      { services: [liveService('api'), liveService('web', { traffic: BUSY, waiting: 3 })] },
    ],
    [
      'a service that is gone',
      { services: ['api', 'web'].map((name) => liveService(name)) },
      { services: [liveService('web', { traffic: BUSY })] },
    ],
    ['the last service that is gone', { services: [liveService('api')] }, { services: [] }],
    ['a registry that is away', { revision: 7 }, { revision: null }],
    [
      'a resolved alert',
      { alerts: [ALERT] },
      { alerts: [{ ...rest, state: 'resolved', resolvedAt: '2026-01-02T12:00:05.000Z' }] },
    ],
    ['new events', { events: [event(2), event(1)] }, { events: [event(4), event(3), event(2), event(1)] }],
    ['a first event', { events: [] }, { events: [event(1)] }],
    ['more events than are shown', { events: many(1) }, { events: many(31) }],
  ];
  for (const [what, before, next] of changes) {
    it(`makes the next state of the one before: ${what}`, () => {
      const [from, to] = [liveState(before), liveState({ ...next, at: '2026-01-02T12:00:01.000Z' })];
      const told: LiveTick = JSON.parse(JSON.stringify(tick(from, to)));
      assert.deepEqual(after(from, told), to);
      assert.ok(Object.keys(told).length > 1, 'something has changed');
    });
  }
});

/** A hundred of them, the oldest with that id. */
function many(oldest: number): EventView[] {
  return Array.from({ length: 100 }, (_, at) => event(oldest + 99 - at));
}
