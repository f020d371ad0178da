import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIFECYCLES, type Lifecycle, mayFollow, STATUSES, statusOf } from '../../../internal/model/lifecycle.ts';

/** Written out once more, so that a step that appears or vanishes is a decision. */
const ALLOWED: readonly (readonly [from: Lifecycle, to: Lifecycle])[] = [
  ['starting', 'ready'],
  ['starting', 'backing-off'],
  ['starting', 'failed'],
  ['starting', 'draining'],
  ['ready', 'draining'],
  ['ready', 'backing-off'],
  ['ready', 'failed'],
  ['draining', 'stopped'],
  ['backing-off', 'starting'],
  ['backing-off', 'failed'],
  ['backing-off', 'draining'],
  ['failed', 'starting'],
  ['failed', 'draining'],
];

describe('the lifecycle', () => {
  for (const from of LIFECYCLES) {
    for (const to of LIFECYCLES) {
      const allowed = from === to || ALLOWED.some(([a, b]) => a === from && b === to);
      it(`${allowed ? 'allows' : 'forbids'} the step from ${from} to ${to}`, () => {
        assert.equal(mayFollow(from, to), allowed);
      });
    }
  }

  it('has no way back from draining or stopped: what has left the rotation never returns', () => {
    const reachable = (from: Lifecycle) => LIFECYCLES.filter((to) => to !== from && mayFollow(from, to));
    assert.deepEqual(reachable('draining'), ['stopped']);
    assert.deepEqual(reachable('stopped'), []);
  });

  it('lets every instance be removed, whatever its state', () => {
    for (const from of LIFECYCLES) if (from !== 'stopped') assert.ok(mayFollow(from, 'draining'), from);
  });
});

it('the API shows one status for every lifecycle', () => {
  assert.deepEqual(Object.fromEntries(LIFECYCLES.map((lifecycle) => [lifecycle, statusOf(lifecycle)])), {
    starting: 'starting',
    ready: 'running',
    draining: 'draining',
    stopped: 'stopped',
    'backing-off': 'error',
    failed: 'error',
  });
  assert.deepEqual(new Set(LIFECYCLES.map(statusOf)), new Set(STATUSES));
});
