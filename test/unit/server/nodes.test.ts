import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeimdallError } from '../../../internal/model/errors.ts';
import type { Instance } from '../../../internal/model/instance.ts';
import type { NodeRecord } from '../../../internal/model/node.ts';
import { Nodes } from '../../../internal/server/nodes.ts';
import { instance, service } from '../../support/proxy-fakes.ts';

const NOTE = { address: '10.0.0.5', version: '1', services: ['web'], instances: 1, cores: 2, load: 0 };

function node(name: string, changes: Partial<NodeRecord> = {}): NodeRecord {
  return { ...NOTE, url: `http://${name}:7000`, name, pid: 1, startedAt: 0, alive: true, seenAt: 0, ...changes };
}

/** As node a sees them. */
function nodesOf(records: readonly NodeRecord[], instances: readonly Instance[] = [], isAway = false): Nodes {
  const registry = {
    nodes: async () => [...records],
    forgetNode: async () => [],
    snapshot: async () => {
      if (isAway) throw new HeimdallError('REGISTRY_UNAVAILABLE', 'the registry is away');
      return { registryId: 'r', revision: 1, services: [], instances };
    },
  };
  return new Nodes({ context: { registry }, fleet: { get: () => undefined }, services: () => [service()], self: 'a' });
}

describe('the manager of another node', () => {
  it('is called where it says, unless it is this one', async () => {
    const nodes = nodesOf([node('a'), node('b')]);
    assert.equal(await nodes.peer('a'), null);
    assert.deepEqual(await nodes.peer('b'), { node: 'b', url: 'http://b:7000' });
  });

  it('is not called when it is unknown, away, or nowhere', async () => {
    const nodes = nodesOf([node('a'), node('b', { alive: false }), node('c', { url: null })]);
    await assert.rejects(nodes.peer('x'), {
      code: 'NODE_NOT_FOUND',
      message: 'there is no node x; there are: a, b, c',
    });
    await assert.rejects(nodes.assertKnown('x'), { code: 'NODE_NOT_FOUND' });
    await nodes.assertKnown('b');
    await assert.rejects(nodes.peer('b'), { code: 'NODE_AWAY', message: /last sign of life at 1970-01-01T00:00:00/ });
    await assert.rejects(nodes.peer('c'), { code: 'NODE_UNREACHABLE', message: /set manager\.host, or manager\.url/ });
  });
});

describe('the node that has an instance', () => {
  const instances = [
    instance('web-9001', { port: 9_001, node: 'b' }),
    instance('web-9002-a', { port: 9_002, node: 'a' }),
    instance('web-9002-b', { port: 9_002, node: 'b' }),
    instance('web-9003', { port: 9_003, node: 'b', agent: { id: 'x', metadata: {} } }),
  ];
  const nodes = nodesOf([node('a'), node('b')], instances);

  it('is found by id or port', async () => {
    assert.deepEqual([await nodes.keeperOf('web-9001'), await nodes.keeperOf('9001')], ['b', 'b']);
    assert.deepEqual([await nodes.keeperOf('web-9002-a'), await nodes.keeperOf('web-9002-b')], [null, 'b']);
  });

  it('is not to be named because of an instance that was removed, and is only there to tell its agent', async () => {
    const removed = instance('web-9002', {
      port: 9_001,
      node: 'x',
      lifecycle: 'stopped',
      agent: { id: 'x', metadata: {} },
    });
    assert.equal(await nodesOf([node('a'), node('b')], [...instances, removed]).keeperOf('9001'), 'b');
  });

  it('makes no difference for what an agent announced, or nobody knows, or while the registry is away', async () => {
    assert.deepEqual([await nodes.keeperOf('9003'), await nodes.keeperOf('9999')], [null, null]);
    assert.equal(await nodesOf([node('a'), node('b')], instances, true).keeperOf('9001'), null);
  });

  it('has to be named when several have the port', async () => {
    await assert.rejects(nodes.keeperOf('9002'), {
      code: 'AMBIGUOUS_PORT',
      message: /: web-9002-a on a, web-9002-b on b; name the node/,
    });
  });
});

describe('the nodes that can start an instance', () => {
  it('are those that declare the service, are there, and can be called', async () => {
    const others = [node('b', { services: [] }), node('c', { alive: false }), node('d', { url: null }), node('e')];
    const nodes = nodesOf([node('a', { url: null }), ...others]);
    assert.deepEqual(await nodes.capable('web'), ['a', 'e']);
    assert.deepEqual(
      [...(await nodes.place('web', 2))],
      [
        ['a', 1],
        ['e', 1],
      ],
    );
  });

  it('are none to choose from when there is but one', async () => {
    assert.deepEqual([...(await nodesOf([node('a')]).place('web', 2))], []);
    assert.equal(await nodesOf([node('a')]).isFirst('web'), true);
  });
});
