import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeRecord } from '../../../internal/model/node.ts';
import { levelled, placed } from '../../../internal/server/placement.ts';
import { instance } from '../../support/proxy-fakes.ts';

function node(name: string, changes: Partial<NodeRecord> = {}): NodeRecord {
  const note = { url: `http://${name}:7000`, address: name, version: '1', services: ['web'], instances: 0, cores: 2 };
  return { ...note, load: 0, name, pid: 1, startedAt: 0, alive: true, seenAt: 0, ...changes };
}

function placing(nodes: readonly NodeRecord[], present: readonly string[] = []) {
  const instances = present.map((on, at) => instance(`web-${at}`, { node: on }));
  return { service: 'web', nodes, instances, self: 'a' };
}

describe('where instances are placed', () => {
  it('is where there are the fewest of the service for each core', () => {
    const nodes = [node('a'), node('b', { cores: 4 })];
    assert.deepEqual(
      [...placed(placing(nodes, ['a', 'b']), 3)],
      [
        ['b', 2],
        ['a', 1],
      ],
    );
  });

  it('is where the load is less, and of two that are alike the node that decides', () => {
    assert.deepEqual([...placed(placing([node('a', { load: 0.9 }), node('b', { load: 0.2 })]), 1)], [['b', 1]]);
    assert.deepEqual([...placed(placing([node('b', { load: 0.2 }), node('a', { load: 0.21 })]), 1)], [['a', 1]]);
  });

  it('does not count what is leaving, of another service, or announced by an agent', () => {
    const others = [
      instance('web-1', { node: 'b', lifecycle: 'draining' }),
      instance('api-1', { node: 'b', service: 'api' }),
      instance('web-2', { node: 'b', agent: { id: 'x', metadata: {} } }),
    ];
    const nodes = [node('a', { load: 1 }), node('b')];
    assert.deepEqual([...placed({ ...placing(nodes), instances: others }, 1)], [['b', 1]]);
  });
});

describe('a number of instances for all nodes', () => {
  it('adds where there are few, and leaves the others where they are', () => {
    const nodes = [node('a'), node('b'), node('c')];
    assert.deepEqual(
      [...levelled(placing(nodes, ['a', 'a', 'b']), 6)],
      [
        ['a', 2],
        ['b', 2],
        ['c', 2],
      ],
    );
  });

  it('takes away where there are many', () => {
    assert.deepEqual(
      [...levelled(placing([node('a'), node('b')], ['a', 'b', 'b', 'b']), 2)],
      [
        ['a', 1],
        ['b', 1],
      ],
    );
    assert.deepEqual(
      [...levelled(placing([node('a'), node('b')], ['a', 'b']), 0)],
      [
        ['a', 0],
        ['b', 0],
      ],
    );
  });
});
