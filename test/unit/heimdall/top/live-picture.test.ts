import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LivePicture } from '../../../../cmd/heimdall/top/live-picture.ts';
import { HeimdallApiError, HeimdallConnectionError } from '../../../../internal/client/errors.ts';
import type { LiveMessage } from '../../../../internal/client/live.ts';
import { ago, liveInstance, liveState } from '../../../support/views.ts';

const REFUSED = new HeimdallConnectionError('http://a', 'nobody answers');

/** A manager whose streams say what is given, one after the other, and then break off. */
function clientOf(streams: readonly (readonly LiveMessage[])[]) {
  const left = [...streams];
  return {
    async *live() {
      yield* left.shift() ?? [];
      throw REFUSED;
    },
  };
}

describe('the live picture', () => {
  const state = liveState([liveInstance(9001)]);

  it('is what the stream says, ticks included, and grows old when that is silent', async () => {
    let now = 0;
    const ended = new AbortController();
    const tick = { at: ago(-1), gone: [liveInstance(9001).id] };
    const client = clientOf([
      [
        { event: 'state', data: state },
        { event: 'tick', data: tick },
      ],
    ]);
    const counts: unknown[] = [];
    const picture = new LivePicture(
      client,
      () => {
        counts.push(picture.state?.instances.length);
        if (counts.length === 2) ended.abort();
      },
      () => now,
    );
    await picture.run(ended.signal);
    assert.deepEqual(counts, [1, 0]);
    assert.equal(picture.stale, null);
    now = 9_000;
    assert.equal(picture.stale, 'no news for 9 s');
  });

  it('comes back by itself after the stream broke off', async () => {
    const ended = new AbortController();
    const client = clientOf([[{ event: 'state', data: state }], [{ event: 'state', data: liveState([]) }]]);
    const picture = new LivePicture(client, () => {
      if (picture.state?.instances.length === 0) ended.abort();
    });
    await picture.run(ended.signal);
    assert.equal(picture.state?.instances.length, 0);
  });

  it('is none when the manager cannot be reached at first, or says no', async () => {
    const { signal } = new AbortController();
    await assert.rejects(new LivePicture(clientOf([]), () => {}).run(signal), REFUSED);
    const refusal = new HeimdallApiError(401, { detail: 'no token' });
    const refusing = {
      // oxlint-disable-next-line require-yield -- it comes to nothing
      async *live(): AsyncGenerator<LiveMessage, void> {
        throw refusal;
      },
    };
    await assert.rejects(new LivePicture(refusing, () => {}).run(signal), refusal);
  });
});
