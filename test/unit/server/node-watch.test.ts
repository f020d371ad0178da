import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeRecord } from '../../../internal/model/node.ts';
import { NodeWatch } from '../../../internal/server/node-watch.ts';

function node(alive: boolean, instances = 2): NodeRecord {
  const note = { url: null, address: '10.0.0.6', version: '1', services: [], cores: 2, load: 0 };
  return { ...note, instances, name: 'b', pid: 1, startedAt: 0, alive, seenAt: 0 };
}

function told({ gone, back }: ReturnType<NodeWatch['look']>): string[] {
  return [...gone.map(({ name }) => `${name} gone`), ...back.map((name) => `${name} back`)];
}

describe('the watch over nodes', () => {
  it('tells once that a node is away, after a while, and once that it is back', () => {
    const watch = new NodeWatch();
    assert.deepEqual(told(watch.look([node(true)], 0)), []);
    assert.deepEqual(told(watch.look([node(false)], 1_000)), []);
    assert.deepEqual(told(watch.look([node(false)], 6_001)), ['b gone']);
    assert.deepEqual(told(watch.look([node(false)], 7_000)), []);
    assert.deepEqual(told(watch.look([node(true)], 8_000)), ['b back']);
  });

  it('does not tell of one whose manager was only started again', () => {
    const watch = new NodeWatch();
    watch.look([node(false)], 0);
    watch.look([node(true)], 4_000);
    assert.deepEqual(told(watch.look([node(false)], 6_000)), []);
  });

  it('misses no node that has stopped all of its instances, or lost them while it was away', () => {
    const watch = new NodeWatch();
    watch.look([node(false, 0)], 0);
    assert.deepEqual(told(watch.look([node(false, 0)], 60_000)), []);
    watch.look([node(false)], 60_000);
    assert.deepEqual(told(watch.look([node(false)], 70_000)), ['b gone']);
    assert.deepEqual(told(watch.look([], 71_000)), ['b back']);
  });
});
