import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventType, StoredEvent } from '../../../internal/model/event.ts';
import { declaredInstances, viewOf } from '../../../internal/model/instance.ts';
import type { InstanceView } from '../../../internal/model/instance-view.ts';
import { dailySummary } from '../../../internal/server/daily-summary.ts';
import { service } from '../../support/server-fixture.ts';

const NOW = Date.UTC(2026, 0, 2, 8);

function view(name: string, port: number, changes: Partial<InstanceView> = {}): InstanceView {
  const [instance] = declaredInstances(service({ name, servers: [`127.0.0.1:${port}`] }));
  assert.ok(instance);
  return { ...viewOf(instance, 'healthy'), id: `${name}-${port}`, ...changes };
}

function event(type: EventType, message: string = type, at = NOW - 3_600_000): StoredEvent {
  return { id: 1, at, type, service: 'web', instanceId: 'web-9001', message, data: {} };
}

describe('the daily summary', () => {
  it('says in its title that all is well, on which day', () => {
    const { title, text } = dailySummary([view('web', 9001)], [], NOW);
    assert.equal(title, 'Daily summary 2026-01-02: all well');
    assert.equal(text, 'Services\n  web: 1 of 1 running\n\nThe last 24 hours\n  nothing happened');
  });

  it('counts in its title what is in trouble, by its process or by its health', () => {
    const instances = [
      view('web', 9001),
      view('web', 9002, { status: 'error' }),
      view('web', 9003, { health: 'unhealthy' }),
      view('api', 9004, { status: 'starting', health: 'unknown' }),
    ];
    const { title, text } = dailySummary(instances, [], NOW);
    assert.match(title, /: 2 of 4 instances in trouble$/);
    assert.match(text, /\n {2}web: 2 of 3 running; in trouble: web-9002, web-9003\n {2}api: 0 of 1 running\n/);
  });

  it('counts what happened, the worst first, and leaves out what is of no interest', () => {
    const events = [
      event('instance.removed'),
      event('instance.exited'),
      event('instance.ready'),
      event('instance.crash-loop'),
      event('instance.exited'),
      event('config.refused'),
    ];
    const { text } = dailySummary([], events, NOW);
    const counts = /The last 24 hours\n((?: {2}.*\n)+)/.exec(text)?.[1];
    assert.equal(counts, '  1 crash loop\n  2 unexpected exits\n  1 refused configuration\n  1 instance removed\n');
  });

  it('tells the latest troubles with their time, ten at most', () => {
    const exits = Array.from({ length: 12 }, (_, index) =>
      event('instance.exited', `exit ${index}`, NOW - index * 60_000),
    );
    const { text } = dailySummary([], [event('instance.added'), ...exits], NOW);
    const troubles = text.split('Latest troubles\n')[1]?.split('\n') ?? [];
    assert.equal(troubles.length, 10);
    assert.deepEqual(troubles.slice(0, 2), ['  08:00:00 UTC exit 0', '  07:59:00 UTC exit 1']);
  });

  it('has no part about troubles or services when there are none', () => {
    const { text } = dailySummary([], [event('instance.added')], NOW);
    assert.equal(text, 'The last 24 hours\n  1 instance added');
  });
});
