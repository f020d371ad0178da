import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { History } from '../../../internal/dashboard/live/history.ts';
import { liveInstance, liveService, NO_TRAFFIC } from '../../support/live-state.ts';

const SERVICE_LINE = { rps: [1, 2], errorRate: [], p50: [], p95: [], p99: [], inFlight: [] };
const INSTANCE_LINE = { rps: [], errorRate: [], p99: [], cpu: [5], memory: [] };
const web = (rps: number) => [liveService('web', { traffic: { ...NO_TRAFFIC, rps } })];

function seeded(): History {
  const history = new History();
  history.seed({ until: 20_000, stepMs: 10_000, services: { web: SERVICE_LINE }, instances: { i: INSTANCE_LINE } });
  return history;
}

describe('the history of the dashboard', () => {
  it('begins with what the manager knows, in lines of one length', () => {
    const history = seeded();
    assert.deepEqual(history.times(), [10, 20]);
    assert.deepEqual(history.service('web', 'rps'), [1, 2]);
    assert.deepEqual(history.instance('i', 'cpu'), [null, 5]);
    assert.deepEqual(history.service('nobody', 'rps'), []);
  });

  it('makes one point of the ticks of a step: their mean', () => {
    const history = seeded();
    for (const [at, rps] of [
      [21_000, 10],
      [25_000, 20],
      [30_000, 60],
    ] as const)
      history.add(at, web(rps), []);
    assert.deepEqual(history.times(), [10, 20, 30]);
    assert.deepEqual(history.service('web', 'rps'), [1, 2, 30]);
  });

  it('leaves a gap where it heard nothing', () => {
    const history = seeded();
    history.add(50_000, web(7), []);
    assert.deepEqual(history.times(), [10, 20, 30, 40, 50]);
    assert.deepEqual(history.service('web', 'rps'), [1, 2, null, null, 7]);
    assert.deepEqual(history.service('web', 'p99'), [null, null, null, null, null]);
  });

  it('keeps 15 minutes, of what is still there', () => {
    const history = seeded();
    const instance = liveInstance({ id: 'new' }, { cpu: 3 });
    for (let at = 30_000; at <= 2_000_000; at += 10_000) history.add(at, web(at), [instance]);
    assert.equal(history.times().length, 90);
    assert.equal(history.service('web', 'rps').length, 90);
    assert.equal(history.service('web', 'rps').at(-1), 2_000_000);
    assert.equal(history.instance('new', 'cpu').at(-1), 3);
    assert.deepEqual(history.instance('i', 'cpu'), []);
  });

  it('goes on by the clock of the manager when that was set back', () => {
    const history = seeded();
    history.add(5_000, web(3), []);
    history.add(15_000, web(5), []);
    assert.deepEqual(history.times(), [-5, 5, 15]);
    assert.deepEqual(history.service('web', 'rps'), [1, 2, 4]);
  });

  it('forgets what a hidden page has missed, however long that was', () => {
    const history = seeded();
    history.add(90_000_000, web(7), []);
    assert.equal(history.times().length, 90);
    assert.equal(history.times().at(-1), 90_000);
    assert.deepEqual(history.service('web', 'rps').slice(-2), [null, 7]);
  });
});
