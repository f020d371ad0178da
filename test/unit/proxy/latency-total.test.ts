import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BUCKETS } from '../../../internal/model/latency-buckets.ts';
import { LatencyTotal } from '../../../internal/proxy/latency-total.ts';

it('a total of latencies goes on where the counts begin anew at 2^32', () => {
  const total = new LatencyTotal();
  const counts = new Uint32Array(BUCKETS);
  counts[7] = 2 ** 32 - 1;
  assert.equal(total.update(counts)[7], 2 ** 32 - 1);
  counts[7] = 4; // five more
  assert.equal(total.update(counts)[7], 2 ** 32 + 4);
  assert.equal(total.update(counts)[7], 2 ** 32 + 4);
});
