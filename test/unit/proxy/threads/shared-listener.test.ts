import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedListener } from '../../../../internal/proxy/threads/shared-listener.ts';

function listener(): SharedListener {
  return new SharedListener('127.0.0.1', 8_080, [1, 2, 3]);
}

/** Whether a promise has settled after all that is due in this turn of the event loop. */
async function state(promise: Promise<void>): Promise<'pending' | 'resolved' | 'rejected'> {
  let now: 'pending' | 'resolved' | 'rejected' = 'pending';
  promise.then(
    () => {
      now = 'resolved';
    },
    () => {
      now = 'rejected';
    },
  );
  await new Promise<void>((resolve) => setImmediate(resolve));
  return now;
}

describe('a listener of several threads', () => {
  it('is open when all of them listen', async () => {
    const shared = listener();
    shared.listens(1);
    shared.listens(3);
    assert.equal(await state(shared.opened), 'pending');
    shared.listens(2);
    assert.equal(await state(shared.opened), 'resolved');
  });

  it('is not open when one of them cannot listen, whoever else can', async () => {
    const shared = listener();
    shared.listens(1);
    assert.equal(shared.cannotListen(new Error('taken')), true);
    await assert.rejects(shared.opened, /taken/);
    shared.listens(2);
    shared.listens(3);
    await assert.rejects(shared.opened, /taken/);
  });

  it('is open without those that crash, as long as one listens', async () => {
    const shared = listener();
    shared.lost(1, new Error('first'));
    shared.listens(2);
    assert.equal(await state(shared.opened), 'pending');
    shared.lost(3, new Error('second'));
    assert.equal(await state(shared.opened), 'resolved');
    assert.equal(shared.cannotListen(new Error('taken')), false);
  });

  it('is not open when all of them crash, and says why the last did', async () => {
    const shared = listener();
    for (const thread of [1, 2, 3]) shared.lost(thread, new Error(`crash ${thread}`));
    await assert.rejects(shared.opened, /crash 3/);
  });

  it('is free once no thread listens, and closed once no thread has a connection', async () => {
    const shared = listener();
    for (const thread of [1, 2, 3]) shared.listens(thread);
    assert.equal(shared.isClosing, false);
    assert.equal(await state(shared.freed), 'resolved', 'nothing to wait for');
    const closed = shared.close([1, 2, 3]);
    assert.equal(shared.isClosing, true);
    for (const thread of [1, 2]) shared.gaveUp(thread);
    shared.listens(3); // was under way
    assert.equal(await state(shared.freed), 'pending');
    shared.gaveUp(3);
    assert.equal(await state(shared.freed), 'resolved');
    for (const thread of [1, 2]) shared.closed(thread);
    assert.equal(await state(closed), 'pending');
    shared.lost(3, new Error('crash'));
    assert.equal(await state(closed), 'resolved');
  });
});
