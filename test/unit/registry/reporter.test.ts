import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Reporter } from '../../../internal/registry/reporter.ts';

describe('what a load balancer tells of pictures', () => {
  let told: number[];
  let revision: number;
  let now: number;
  let ending: AbortController;
  let reporter: Reporter;

  beforeEach(() => {
    now = 0;
    mock.timers.enable({ apis: ['setTimeout'] });
    mock.method(performance, 'now', () => now);
    [told, revision, ending] = [[], 0, new AbortController()];
    reporter = new Reporter({
      registry: {
        report: async ({ appliedRevision }) => void told.push(appliedRevision ?? -1),
        snapshot: () => assert.fail(),
      },
      report: () => ({ appliedRevision: revision, inFlight: new Map() }),
      now: Date.now,
      signal: ending.signal,
      onTaken() {},
      onRefused: (error) => assert.fail(String(error)),
    });
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
  });

  async function apply(next: number): Promise<void> {
    revision = next;
    await reporter.tellPicture();
  }

  async function pass(ms: number): Promise<void> {
    now += ms;
    mock.timers.tick(ms);
    await reporter.settled();
  }
  const storm = async (from: number, to: number) => {
    for (let next = from; next <= to; next += 1) await apply(next);
  };

  it('is told of each at once, and in a storm of several together', async () => {
    await storm(1, 20);
    assert.deepEqual(told, [1, 2, 3, 4, 5]);
    await pass(100);
    assert.deepEqual(told, [1, 2, 3, 4, 5, 20]);
    await pass(1_000);
    assert.deepEqual(told, [1, 2, 3, 4, 5, 20]);
    await apply(21);
    assert.deepEqual(told.at(-1), 21);
  });

  it('is told also when it changes at the moment at which a report ends', async () => {
    for (let later = 0; later < 10; later += 1) {
      const running = reporter.tell();
      for (let at = 0; at < later; at += 1) await Promise.resolve();
      revision += 1;
      await Promise.all([running, reporter.tell()]);
      assert.equal(told.at(-1), revision, `${later} microtasks later`);
    }
  });

  it('goes with what is told for another reason', async () => {
    await storm(1, 20);
    await reporter.tell();
    await pass(1_000);
    assert.deepEqual(told.slice(5), [20]);
  });

  it('is told of the last one also when the timer is early', async () => {
    await storm(1, 20);
    now += 98; // timers count whole milliseconds, from the beginning of a turn of the event loop
    mock.timers.tick(100);
    await pass(2);
    await pass(100);
    assert.equal(told.at(-1), 20);
  });

  it('is told of what comes in the moment in which a report ends', async () => {
    for (let turns = 0; turns < 8; turns += 1) {
      now += 1_000;
      void apply(2 * turns);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      await apply(2 * turns + 1);
      assert.equal(told.at(-1), 2 * turns + 1, `after ${turns} turns`);
    }
  });

  it('is not told any more when the load balancer ends', async () => {
    await storm(1, 20);
    ending.abort();
    await reporter.settled();
    await pass(1_000);
    assert.equal(told.length, 5);
  });
});
