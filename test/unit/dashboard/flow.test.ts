import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flowLayout } from '../../../internal/dashboard/flow/layout.ts';
import { liveInstance, liveService, NO_TRAFFIC } from '../../support/live-state.ts';

const traffic = (rps: number) => ({ ...NO_TRAFFIC, rps });
const service = (name: string, rps: number) => liveService(name, { traffic: traffic(rps) });
const instance = (id: string, of: string, rps: number, changes = {}) =>
  liveInstance({ id, service: of, port: 9_000 }, { traffic: traffic(rps), ...changes });

describe('the picture of the flow', () => {
  it('has ribbons as wide as their traffic', () => {
    const { links } = flowLayout(
      [service('web', 30), service('api', 10)],
      [instance('a', 'web', 20), instance('b', 'web', 10), instance('c', 'api', 10)],
      800,
    );
    const width = (key: string) => links.find((link) => link.key === key)?.width ?? 0;
    assert.equal(width('>web'), 3 * width('>api'));
    assert.equal(width('web>a'), 2 * width('web>b'));
    assert.equal(width('web>a') + width('web>b'), width('>web'));
  });

  it('stays within its width, and no two rows are at the same height', () => {
    const instances = ['a', 'b', 'c', 'd'].map((id) => instance(id, 'web', 1_000));
    const { leaves, height } = flowLayout([service('web', 4_000)], instances, 390);
    assert.ok(leaves.every(({ x, y }) => x < 390 && y >= 0 && y <= height));
    assert.equal(new Set(leaves.map(({ y }) => y)).size, 4);
  });

  it('shows of many instances those in trouble, and the rest as one', () => {
    const many = Array.from({ length: 200 }, (_, at) =>
      instance(`i${at}`, 'web', 1, at === 7 ? { status: 'error' } : {}),
    );
    const { leaves } = flowLayout([service('web', 200)], many, 800);
    assert.deepEqual(
      leaves.map(({ label, rps, standing }) => [label, rps, standing?.word]),
      [
        [':9000', 1, 'down'],
        ['199 others', 199, 'healthy'],
      ],
    );
  });

  it('shows where nothing flows that nothing flows', () => {
    const { links, balancer } = flowLayout([service('web', 0)], [instance('a', 'web', 0)], 800);
    assert.deepEqual(
      links.map(({ isIdle }) => isIdle),
      [true, true],
    );
    assert.ok(Number.isFinite(balancer.height));
    assert.ok(flowLayout([], [], 800).height > 0);
  });
});
