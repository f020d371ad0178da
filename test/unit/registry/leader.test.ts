import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { frontId } from '../../../internal/registry/front-id.ts';
import { isLeader, Leadership } from '../../../internal/registry/leader.ts';
import type { ProxyRecord } from '../../../internal/registry/registry.ts';

function proxy(id: string, heartbeatAt = 100_000): ProxyRecord {
  return { id, pid: 1, startedAt: 0, heartbeatAt, appliedRevision: null, inFlight: new Map() };
}

/** Who speaks, of load balancers from the oldest to the youngest. */
function speakers(...ids: readonly string[]): string[] {
  const rows = ids.map((id) => proxy(id));
  return ids.filter((id) => isLeader(id, rows, 100_000));
}

describe('the load balancer that speaks for all', () => {
  it('is the oldest of the living', () => {
    const rows = [proxy('old', 94_999), proxy('a'), proxy('b')];
    assert.deepEqual([isLeader('a', rows, 100_000), isLeader('b', rows, 100_000)], [true, false]);
    assert.equal(isLeader('old', rows, 99_000), true);
    assert.equal(isLeader('x', [], 100_000), true);
  });

  it('is one of heimdall, though an nginx was there before', () => {
    const front = frontId('nginx', ['web'], 'host-1-a');
    assert.deepEqual(speakers(front, 'nginx-1-a', 'host-2-b'), ['nginx-1-a']);
  });

  it('is the oldest front of the same services where there are only fronts', () => {
    const first = frontId('nginx', ['web', 'api'], 'host-1-a');
    const same = frontId('haproxy', ['api', 'web'], 'host-2-b');
    const other = frontId('nginx', ['web'], 'host-3-c');
    assert.deepEqual(speakers(first, same, other), [first, other]);
  });
});

describe('who speaks while nobody can be asked', () => {
  /** @param rows - null: the registry is away. */
  const asked = async (...looks: readonly (readonly [rows: readonly string[] | null, after: number])[]) => {
    let now = 100_000;
    let found: readonly string[] | null = null;
    const registry = {
      proxyId: 'a',
      proxies: async () => {
        if (found === null) throw new Error('away');
        return found.map((id) => proxy(id, now));
      },
    };
    const leadership = new Leadership(registry, () => now);
    const said: boolean[] = [];
    for (const [rows, after] of looks) {
      now += after;
      found = rows;
      said.push(await leadership.ask());
    }
    return said;
  };

  it('is whoever did last, and after five minutes everybody', async () => {
    const away = [null, 1_000] as const;
    assert.deepEqual(await asked([['a', 'b'], 0], away, [null, 600_000]), [true, true, true]);
    assert.deepEqual(await asked([['b', 'a'], 0], away, [null, 299_000], [null, 2_000]), [false, false, false, true]);
    assert.deepEqual(await asked([['b', 'a'], 0], [null, 400_000], [['b', 'a'], 0], away), [
      false,
      false,
      false,
      false,
    ]);
  });

  it('is everybody where that was never known', async () => {
    assert.deepEqual(await asked([null, 0], [['b', 'a'], 0], [null, 0]), [true, false, false]);
  });
});
