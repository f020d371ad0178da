import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bucketOf, total } from '../../../internal/model/latency-buckets.ts';
import { addSince, since } from '../../../internal/proxy/latency-histograms.ts';
import { SharedState } from '../../../internal/proxy/shared-state.ts';
import { SlotAllocator } from '../../../internal/proxy/slot-allocator.ts';
import { instance } from '../../support/proxy-fakes.ts';
import { Upstream } from '../../../internal/proxy/upstream.ts';

const SIZE = { upstreams: 3, pools: 2, threads: 2 };

describe('the histograms of latencies', () => {
  it('are those of all threads together, of each upstream apart', () => {
    const main = SharedState.create(SIZE);
    const [one, two] = [1, 2].map((thread) => SharedState.attach(main.buffer, SIZE, thread).latencies);
    one!.record(1, 5);
    two!.record(1, 5);
    two!.record(1, 700);
    two!.record(2, 9);
    main.latencies.record(1, 0.01);
    const counts = main.latencies.read(1);
    assert.deepEqual([counts[bucketOf(5)], counts[bucketOf(700)], counts[0], total(counts)], [2, 1, 1, 4]);
    assert.deepEqual([total(main.latencies.read(0)), total(main.latencies.read(2))], [0, 1]);
  });

  it('begin anew for another upstream in the same place', () => {
    const slots = new SlotAllocator(SharedState.create({ ...SIZE, upstreams: 1 }));
    const first = new Upstream(instance('a'), { state: slots.state, slot: slots.upstream() });
    SharedState.attach(slots.state.buffer, slots.state.size, 1).latencies.record(first.slot, 20);
    first.took(30);
    assert.equal(total(first.latencies), 2);
    slots.retire(first.slot);
    const second = new Upstream(instance('b'), { state: slots.state, slot: slots.upstream() });
    assert.equal(second.slot, first.slot);
    assert.equal(total(second.latencies), 0);
  });

  it('tell what came in between, also over the end of a counter', () => {
    const [before, now] = [Uint32Array.of(1, 2 ** 32 - 1), Uint32Array.of(4, 2)];
    assert.deepEqual([...since(before, now)], [3, 3]);
    const sums = Float64Array.of(0, 10);
    addSince(sums, before, now);
    assert.deepEqual([...sums], [3, 13]);
  });
});
