import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Instance } from '../../../internal/model/instance.ts';
import { SilentAgents } from '../../../internal/server/announced/silent-agents.ts';
import { instance } from '../../support/instance-row.ts';
import { AlertLog } from '../../support/server-fixture.ts';

const KEY = 'agent-gone:b';

function of(agent: string, ...ids: string[]): Instance[] {
  return ids.map((id) => instance(id, { agent: { id: agent, metadata: {} } }));
}

describe('agents that fall silent', () => {
  it('are one alert each, that names a few of many instances', () => {
    const alerts = new AlertLog();
    const ids = Array.from({ length: 12 }, (_, index) => `web-${index}`);
    new SilentAgents(alerts).look([...of('b', ...ids), ...of('c', 'api-1')], [], 1_000);
    assert.deepEqual(
      alerts.raised.map(({ key }) => key),
      [KEY, 'agent-gone:c'],
    );
    assert.match(alerts.raised[0]?.cause ?? '', /web-0, web-1, web-2, web-3, web-4 and 7 more/);
  });

  it('are back when they announce something, wherever: what was left of them is no sign', () => {
    const alerts = new AlertLog();
    const silent = new SilentAgents(alerts);
    silent.look(of('b', 'web-1'), of('b', 'api-1'), 1_000);
    silent.look([], of('b', 'api-1'), 2_000);
    silent.look([], [...of('b', 'api-1'), ...of('c', 'web-9')], 3_000);
    assert.deepEqual(alerts.resolved, []);
    silent.look([], of('b', 'api-1', 'web-2'), 4_000);
    assert.deepEqual(alerts.resolved, [KEY]);
    assert.ok(silent.isEmpty);
  });

  it('are gone still when another manager goes on, until they are back', () => {
    const alerts = new AlertLog();
    const silent = new SilentAgents(alerts);
    const told = { key: KEY, severity: 'warning', title: 'agent b is gone', at: 1_000 } as const;
    silent.inherit([told, { ...told, key: 'disk:/' }]);
    assert.deepEqual(alerts.raised, [told]);
    silent.look([], of('b', 'api-1'), 2_000);
    silent.look([], of('b', 'api-1'), 3_000);
    assert.deepEqual(alerts.resolved, []);
    silent.heard('b', 4_000);
    silent.heard('b', 5_000);
    assert.deepEqual(alerts.resolved, [KEY]);
  });

  it('are no news after an hour', () => {
    const alerts = new AlertLog();
    const silent = new SilentAgents(alerts);
    silent.look(of('b', 'web-1'), [], 1_000);
    silent.look([], [], 3_601_000);
    assert.deepEqual(alerts.resolved, []);
    silent.look([], [], 3_601_001);
    assert.deepEqual(alerts.resolved, [KEY]);
  });
});
