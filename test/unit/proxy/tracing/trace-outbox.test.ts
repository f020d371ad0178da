import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { TraceOutbox } from '../../../../internal/proxy/tracing/trace-outbox.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { traced } from '../../../support/traced-request.ts';

describe('the outbox of a thread', () => {
  let clock: ManualClock;
  let batches: { readonly ids: string[]; readonly dropped: number }[];
  let outbox: TraceOutbox;

  beforeEach(() => {
    clock = new ManualClock();
    batches = [];
    const send = (requests: readonly { readonly id: string }[], dropped: number) =>
      batches.push({ ids: requests.map(({ id }) => id), dropped });
    outbox = new TraceOutbox(send, clock);
  });

  function add(count: number): void {
    for (let n = 0; n < count; n += 1) outbox.add(traced({ id: `r${n}` }));
  }

  it('sends what has come together after a while, and nothing while nothing comes', async () => {
    await clock.advance(10_000);
    assert.deepEqual(batches, []);
    add(2);
    assert.deepEqual(batches, []);
    await clock.advance(1_000);
    assert.deepEqual(batches, [{ ids: ['r0', 'r1'], dropped: 0 }]);
  });

  it('sends at once what makes a batch, and no other one before that has arrived', async () => {
    add(128 + 300);
    assert.deepEqual(
      batches.map(({ ids }) => ids.length),
      [128],
    );
    await clock.advance(10_000);
    assert.equal(batches.length, 1);
    outbox.arrived();
    assert.deepEqual(
      batches.map(({ ids }) => ids.length),
      [128, 300],
    );
  });

  it('drops what is too much while the receiver is busy, and counts its spans', () => {
    add(128 + 1_024 + 3); // of two spans each
    outbox.arrived();
    assert.deepEqual([batches[1]?.ids.length, batches[1]?.dropped], [1_024, 6]);
    add(128);
    outbox.arrived();
    assert.deepEqual([batches[2]?.ids.length, batches[2]?.dropped], [128, 0]);
  });

  it('sends all that is left when it is flushed', () => {
    add(1);
    outbox.flush();
    add(1);
    outbox.flush();
    outbox.flush();
    assert.equal(batches.length, 2);
  });
});
