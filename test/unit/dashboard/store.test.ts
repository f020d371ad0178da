import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Store } from '../../../internal/dashboard/live/store.ts';
import { liveInstance, liveService, liveState, NO_TRAFFIC } from '../../support/live-state.ts';

const at = '2026-01-02T12:00:01.000Z';

function filled(): Store {
  const store = new Store();
  const instances = [liveInstance({ id: 'a' }), liveInstance({ id: 'b' })];
  store.apply({ event: 'state', data: liveState({ services: [liveService('web')], instances }) });
  store.apply({
    event: 'history',
    data: { until: Date.parse(at) - 1_000, stepMs: 1_000, services: {}, instances: {} },
  });
  return store;
}

describe('what the dashboard knows', () => {
  it('is told to whoever shows an instance only when that one has changed', () => {
    const store = filled();
    const told: string[] = [];
    for (const id of ['a', 'b']) store.instance(id)?.subscribe(({ traffic }) => told.push(`${id} ${traffic.rps}`));
    store.apply({ event: 'tick', data: { at, figures: { b: { traffic: { ...NO_TRAFFIC, rps: 5 } } } } });
    assert.deepEqual(told, ['a 0', 'b 0', 'b 5']);
  });

  it('loses what is gone, and gains what is new', () => {
    const store = filled();
    store.apply({ event: 'tick', data: { at, gone: ['a'], instances: [liveInstance({ id: 'c' })] } });
    assert.deepEqual(store.instanceIds.value.toSorted(), ['b', 'c']);
    assert.equal(store.instance('a'), undefined);
    assert.deepEqual(store.instancesOf('web').length, 2);
  });

  it('tells that the registry is away, and keeps what was known', () => {
    const store = filled();
    assert.equal(store.isRegistryThere.value, true);
    store.apply({ event: 'tick', data: { at, revision: null } });
    assert.equal(store.isRegistryThere.value, false);
    assert.deepEqual(store.serviceNames.value, ['web']);
  });

  it('goes on with the history that the manager told', () => {
    const store = filled();
    const web = liveService('web', { traffic: { ...NO_TRAFFIC, rps: 9 } });
    store.apply({ event: 'tick', data: { at, services: [web] } });
    assert.deepEqual(store.history.service('web', 'rps'), [9]);
  });
});
