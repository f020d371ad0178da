import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeimdallError } from '../../../internal/model/errors.ts';
import type { Usage } from '../../../internal/model/instance.ts';
import { Usages } from '../../../internal/server/usages.ts';
import { instance } from '../../support/instance-row.ts';

const PID = 4_711;
const PROCESS = { pid: PID, startTime: '1', bootId: 'b', token: 't' };
const MEASURED: Usage = { memory: 64_123_456, cpu: 12.3456 };
const OF_OTHER: Usage = { memory: 1_000, cpu: null };

/** Of a node with one instance; another node has told of one of its own. */
function usagesOf({ isShared = true, isAway = false } = {}): Usages {
  const registry = {
    isShared,
    usage: async () => {
      if (isAway) throw new HeimdallError('REGISTRY_UNAVAILABLE', 'the registry is away');
      return new Map([['web-b', OF_OTHER]]);
    },
  };
  const fleet = { instances: () => [instance('web-a', { process: PROCESS })] };
  return new Usages({ registry, fleet, vitals: { of: (pid) => (pid === PID ? MEASURED : undefined) } });
}

describe('what instances use', () => {
  it('is measured on this node, and told by the managers of others', async () => {
    const usageOf = await usagesOf().reader();
    assert.deepEqual([usageOf({ id: 'web-a' }), usageOf({ id: 'web-b' })], [MEASURED, OF_OTHER]);
  });

  it('is not that of a process which has the same pid on another host', async () => {
    const usageOf = await usagesOf().reader();
    assert.equal(usageOf(instance('web-c', { node: 'c', process: PROCESS })), undefined);
  });

  it('of this node is known while the registry is away, and where there are no others', async () => {
    for (const usages of [usagesOf({ isAway: true }), usagesOf({ isShared: false })])
      assert.deepEqual([...(await usages.all()).keys()], ['web-a']);
  });

  it('is told to others without noise, and to nobody where there are none', () => {
    assert.deepEqual(usagesOf().told(), new Map([['web-a', { memory: 64_100_000, cpu: 12 }]]));
    assert.equal(usagesOf({ isShared: false }).told(), undefined);
  });
});
