import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Deployment } from '../../../internal/model/deployment.ts';
import { FIRST_RELEASE, type Release } from '../../../internal/model/release.ts';
import { partsFor, undoing } from '../../../internal/server/deployment-plan.ts';

function release(deployment: number, version: string): Release {
  return { ...FIRST_RELEASE, deployment, version };
}

const V1 = release(1, 'v1');
const V2 = release(2, 'v2');
const NODES = [
  { name: 'a', alive: true },
  { name: 'b', alive: true },
  { name: 'c', alive: false },
];

/** What has succeeded on a node. */
function success(node: string, brought: Release, previous: Release): Deployment {
  const id = brought.deployment ?? 0;
  const times = { createdAt: 0, startedAt: 0, finishedAt: 1 };
  const what = { id, service: 'web', kind: 'deploy', state: 'succeeded', release: brought, previous } as const;
  return { ...what, ...times, by: 'ann', reason: null, node, nodes: ['a', 'b', 'c'], givenUp: null };
}

describe('the parts of a deployment', () => {
  it('leave out the nodes that are away, and say so', () => {
    const parts = partsFor(NODES, [], () => V1);
    assert.deepEqual(
      parts.map(({ node, skipped }) => [node, skipped]),
      [
        ['a', null],
        ['b', null],
        ['c', 'node c is away, and keeps what it runs'],
      ],
    );
  });

  it('go back on those nodes alone that run the latest release', () => {
    const history = [success('a', V2, V1), success('b', V1, FIRST_RELEASE), success('a', V1, FIRST_RELEASE)];
    const names = ['a', 'b', 'c'];
    const releases = [
      { node: 'a', release: V2 },
      { node: 'b', release: V1 },
    ];
    assert.deepEqual(partsFor(NODES, releases, undoing(names, releases, history)), [
      { node: 'a', release: V1, skipped: null },
    ]);
  });

  it('go back everywhere when all run the same, whichever deployment brought it', () => {
    const history = [success('b', release(3, 'v2'), V1), success('a', V2, V1), success('b', V1, FIRST_RELEASE)];
    const releases = [
      { node: 'a', release: V2 },
      { node: 'b', release: release(3, 'v2') },
    ];
    const parts = partsFor(NODES, releases, undoing(['a', 'b'], releases, history));
    assert.deepEqual(
      parts.map((part) => [part.node, part.release.version]),
      [
        ['a', 'v1'],
        ['b', 'v1'],
      ],
    );
    assert.deepEqual(partsFor(NODES, [], undoing(['a', 'b'], [], [])), [], 'there is nothing to go back to');
  });
});
