import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { happeningsOf } from '../../../internal/dashboard/view/happenings.ts';
import type { AlertView } from '../../../internal/model/alert-view.ts';
import type { EventView } from '../../../internal/model/event-view.ts';

const event = (id: number, at: string, type: EventView['type'], message: string): EventView => ({
  id,
  at,
  type,
  service: 'web',
  instanceId: null,
  message,
  data: {},
});
const ALERT: AlertView = {
  id: '1',
  key: 'instance-down:a',
  state: 'resolved',
  severity: 'critical',
  title: 'a is down',
  cause: null,
  service: 'web',
  instance: 'a',
  node: null,
  since: '2026-01-01T10:00:01Z',
  resolvedAt: '2026-01-01T10:00:03Z',
  durationMs: 2_000,
  announced: true,
  silenced: false,
  acknowledged: null,
};
const EVENTS = [
  event(2, '2026-01-01T10:00:02Z', 'instance.ready', 'a is ready'),
  event(1, '2026-01-01T10:00:00Z', 'instance.exited', 'a was killed'),
];

describe('the timeline', () => {
  it('holds events, and the beginnings and ends of alerts, newest first', () => {
    const lines = happeningsOf(EVENTS, [ALERT]).map(({ text, tone }) => `${tone} ${text}`);
    assert.deepEqual(lines, ['good over: a is down', 'good a is ready', 'bad a is down', 'bad a was killed']);
    assert.equal(happeningsOf([], [{ ...ALERT, resolvedAt: null }]).length, 1);
  });

  it('shows as bad what has failed', () => {
    const types = ['instance.restart-failed', 'instance.start-failed', 'deployment.failed', 'config.refused'] as const;
    const events = types.map((type, at) => event(at, '2026-01-01T10:00:00Z', type, 'x'));
    assert.deepEqual(new Set(happeningsOf(events, []).map(({ tone }) => tone)), new Set(['bad']));
  });

  it('can be filtered', () => {
    assert.deepEqual(
      happeningsOf(EVENTS, [ALERT], 'killed').map(({ text }) => text),
      ['a was killed'],
    );
  });
});
