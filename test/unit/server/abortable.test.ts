import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { abortable } from '../../../internal/server/abortable.ts';

describe('abortable', () => {
  it('is the promise as long as nobody aborts, and leaves no listener', async () => {
    const { signal } = new AbortController();
    assert.equal(await abortable(Promise.resolve(1), signal), 1);
    await assert.rejects(abortable(Promise.reject(new Error('no')), signal), /no/);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('rejects with the reason of the abort, before or meanwhile', async () => {
    const controller = new AbortController();
    const never = new Promise(() => {});
    const waiting = abortable(never, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    await assert.rejects(abortable(never, controller.signal), /enough/);
  });

  it('hears a promise that fails after the abort, so that nothing is unhandled', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const { promise, reject } = Promise.withResolvers<void>();
    await assert.rejects(abortable(promise, controller.signal), /enough/);
    reject(new Error('late'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
