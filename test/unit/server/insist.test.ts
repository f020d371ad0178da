import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { insist } from '../../../internal/server/insist.ts';

const AWAY = new HeimdallError('REGISTRY_UNAVAILABLE', 'away');

/** Fails in this way, one after the other, and then succeeds. */
function failing(...errors: Error[]) {
  const work = {
    tries: 0,
    run: async () => {
      const error = errors[work.tries];
      work.tries += 1;
      if (error !== undefined) throw error;
      return work.tries;
    },
  };
  return work;
}

describe('work that is insisted on', () => {
  it('is tried again while the registry is away', async () => {
    assert.equal(await insist(failing(AWAY, AWAY).run, new AbortController().signal), 3);
  });

  it('fails at once for any other reason', async () => {
    const work = failing(AWAY, new Error('refused'));
    await assert.rejects(insist(work.run, new AbortController().signal), /refused/);
    assert.equal(work.tries, 2);
  });

  it('is tried once more when the signal is aborted, and then fails with what happened last', async () => {
    const controller = new AbortController();
    const work = failing(AWAY, AWAY, AWAY);
    const insisting = insist(work.run, controller.signal);
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('enough'));
    await assert.rejects(insisting, AWAY);
    assert.equal(work.tries, 2);
  });
});
