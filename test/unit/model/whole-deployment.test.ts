import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Deployment } from '../../../internal/model/deployment.ts';
import { FIRST_RELEASE } from '../../../internal/model/release.ts';
import { turnOf, wholeOf } from '../../../internal/model/whole-deployment.ts';

type State = Deployment['state'];

const NOBODY: ReadonlySet<string> = new Set();

function part(node: string | null, state: State, changes: Partial<Deployment> = {}): Deployment {
  return {
    id: 7,
    service: 'web',
    kind: 'deploy',
    state,
    release: { ...FIRST_RELEASE, deployment: 7, version: 'v2' },
    previous: null,
    by: 'ann',
    createdAt: 0,
    startedAt: state === 'queued' || state === 'skipped' ? null : 10,
    finishedAt: null,
    reason: null,
    node,
    nodes: ['a', 'b', 'c'],
    givenUp: null,
    ...changes,
  };
}

/** On a, b and c. */
function parts(...states: [State, State, State]): Deployment[] {
  return states.map((state, at) =>
    part(['a', 'b', 'c'][at] ?? '', state, { finishedAt: 20 + at, reason: `why ${at}` }),
  );
}

describe('a deployment over nodes', () => {
  it('is under way until its last part is over', () => {
    const cases: [[State, State, State], State][] = [
      [['queued', 'queued', 'queued'], 'queued'],
      [['running', 'queued', 'queued'], 'running'],
      [['succeeded', 'queued', 'queued'], 'running'],
      [['succeeded', 'rolling-back', 'queued'], 'rolling-back'],
      [['succeeded', 'rolled-back', 'queued'], 'running'],
      [['succeeded', 'succeeded', 'succeeded'], 'succeeded'],
      [['rolled-back', 'skipped', 'skipped'], 'rolled-back'],
      [['failed', 'skipped', 'skipped'], 'failed'],
      [['succeeded', 'rolled-back', 'skipped'], 'failed'],
      [['succeeded', 'skipped', 'skipped'], 'failed'],
      [['skipped', 'skipped', 'skipped'], 'skipped'],
    ];
    for (const [states, state] of cases)
      assert.equal(wholeOf(parts(...states), NOBODY).state, state, states.join(', '));
  });

  it('says where it ended, and what runs where', () => {
    const { reason, startedAt, finishedAt } = wholeOf(
      parts('succeeded', 'rolled-back', 'skipped').toReversed(),
      NOBODY,
    );
    assert.equal(reason, 'on node b: why 1; what is new runs on a; what ran before runs on b, c');
    assert.deepEqual([startedAt, finishedAt], [10, 22]);
    assert.equal(wholeOf(parts('succeeded', 'succeeded', 'succeeded'), NOBODY).reason, null);
  });

  it('is not waited for where a node has vanished', () => {
    const lost = wholeOf(parts('succeeded', 'running', 'skipped'), new Set(['b']));
    const why = 'node b is away, and goes on with its part when it is back';
    assert.deepEqual([lost.state, lost.reason], ['failed', `${why}; what is new runs on a; what ran before runs on c`]);
    assert.equal(wholeOf([part('b', 'running', { nodes: ['b'] })], new Set(['b'])).state, 'failed');
  });

  it('succeeds without the nodes that it leaves out', () => {
    const nodes = ['a'];
    const left = part('b', 'skipped', { nodes, reason: 'node b is away' });
    const whole = wholeOf([left, part('a', 'succeeded', { nodes })], NOBODY);
    assert.deepEqual([whole.state, whole.parts.map(({ node }) => node)], ['succeeded', ['a', 'b']]);
  });

  it('is its only part where there is one node', () => {
    const only = part(null, 'rolled-back', { nodes: [], reason: 'it fell over' });
    assert.deepEqual(wholeOf([only], NOBODY), { ...only, parts: [only] });
  });
});

describe('the turn of a node', () => {
  /** Of b. */
  const turn = (states: [State, State, State], gone = NOBODY) => {
    const all = parts(...states);
    return turnOf(all[1] ?? part('b', 'queued'), all, gone);
  };

  it('comes when the one before it has succeeded', () => {
    assert.equal(turn(['queued', 'queued', 'queued']), 'later');
    assert.equal(turn(['running', 'queued', 'queued']), 'later');
    assert.equal(turn(['succeeded', 'queued', 'queued']), 'now');
    const all = parts('queued', 'queued', 'queued');
    assert.equal(turnOf(part('a', 'queued'), all, NOBODY), 'now');
  });

  it('never comes when that one has not, or is away', () => {
    assert.deepEqual(turn(['rolled-back', 'queued', 'queued']), { never: 'it did not get through node a' });
    assert.deepEqual(turn(['skipped', 'queued', 'queued']), { never: 'why 0' });
    assert.deepEqual(turn(['running', 'queued', 'queued'], new Set(['a'])), { never: 'node a is away' });
    assert.equal(turn(['queued', 'queued', 'queued'], new Set(['a'])), 'later', 'it is skipped first');
  });
});
