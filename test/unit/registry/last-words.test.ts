import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredEvent } from '../../../internal/model/event.ts';
import { LastWords } from '../../../internal/registry/last-words.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function setUp() {
  const clock = new ManualClock();
  const events: StoredEvent[] = [];
  const registry = {
    failing: false,
    asked: 0,
    events: async ({ since = 0, limit = 0 }) => {
      registry.asked += 1;
      if (registry.failing) throw new Error('the registry is locked');
      return events.filter(({ at }) => at >= since).slice(0, limit);
    },
  };
  const ended = (instanceId: string, logTail: unknown, at = clock.now()) => {
    const data = { logTail };
    events.unshift({ id: events.length, at, type: 'instance.exited', service: 'web', instanceId, message: '', data });
  };
  return { clock, registry, ended, words: new LastWords(registry, clock) };
}

/** Resolves once the virtual time has passed. */
async function after<T>(clock: ManualClock, ms: number, promise: Promise<T>): Promise<T | 'waits'> {
  await clock.advance(ms);
  return Promise.race([promise, Promise.resolve('waits' as const)]);
}

describe('the last words of an instance', () => {
  it('are those of its end, once the manager has put it down; ten lines at most', async () => {
    const { clock, ended, words } = setUp();
    ended('web-1', ['of an earlier end'], clock.now() - 60_000);
    const found = words.of('web', 'web-1', clock.now());
    assert.equal(await after(clock, 1_000, found), 'waits');
    ended('web-2', ['of somebody else']);
    ended(
      'web-1',
      Array.from({ length: 50 }, (_, line) => `line ${line}`),
    );
    const lines = await after(clock, 250, found);
    assert.deepEqual([lines.length, lines[0], lines.at(-1)], [10, 'line 40', 'line 49']);
  });

  it('are none when there are none, or nobody tells', async () => {
    const { clock, ended, registry, words } = setUp();
    const silent = words.of('web', 'web-1', clock.now());
    ended('web-1', []);
    assert.deepEqual(await after(clock, 250, silent), []);
    registry.failing = true;
    assert.deepEqual(await after(clock, 3_000, words.of('web', 'web-1', clock.now())), []);
    registry.failing = false;
    assert.deepEqual(await after(clock, 3_000, words.of('web', 'web-9', clock.now())), []);
    await clock.advance(100);
    assert.equal(clock.pending, 0);
  });

  it('are found of each when hundreds end at once, without as many readings', async () => {
    const { clock, ended, registry, words } = setUp();
    const ids = Array.from({ length: 300 }, (_, index) => `web-${index}`);
    const found = Promise.all(ids.map((id) => words.of('web', id, clock.now())));
    for (const id of ids) ended(id, [id]);
    assert.deepEqual(
      await after(clock, 500, found),
      ids.map((id) => [id]),
    );
    assert.equal(registry.asked, 1);
  });
});
