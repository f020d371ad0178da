import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasCode } from '../../../../internal/model/errors.ts';
import type { LiveState, LiveTick } from '../../../../internal/model/live.ts';
import { LiveFeed, MOST_VIEWERS, type Viewer } from '../../../../internal/server/live/live-feed.ts';
import { createLogger } from '../../../../pkg/logger/logger.ts';
import { liveState } from '../../../support/live-state.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';

/** Takes what it is sent at once, unless it is slow: then when it is told to. */
class FakeViewer implements Viewer {
  readonly got: string[] = [];
  readonly states: LiveState[] = [];
  readonly ticks: LiveTick[] = [];
  isSlow = false;
  hasEnded = false;
  #take: () => void = () => {};

  async send(event: string, json: string): Promise<void> {
    this.got.push(event);
    if (event === 'state') this.states.push(JSON.parse(json));
    if (event === 'tick') this.ticks.push(JSON.parse(json));
    if (this.isSlow) await new Promise<void>((resolve) => (this.#take = resolve));
  }

  take(): void {
    this.#take();
  }

  end(): void {
    this.hasEnded = true;
  }
}

class Site {
  readonly clock = new ManualClock();
  readonly feed: LiveFeed;
  looks = 0;
  histories = 0;
  change: Partial<LiveState> = {};
  fault: Error | null = null;
  /** What a look waits for. */
  gate: Promise<void> = Promise.resolve();

  constructor() {
    const state = async () => {
      this.looks += 1;
      await this.gate;
      if (this.fault !== null) throw this.fault;
      return liveState({ at: new Date(this.clock.now()).toISOString(), ...this.change });
    };
    const history = () => {
      this.histories += 1;
      return { until: 0, stepMs: 15_000, services: {}, instances: {} };
    };
    const log = createLogger({ name: 'test', level: 'silent' });
    this.feed = new LiveFeed({
      source: { state, history, watch: async () => {}, rest: () => {} },
      clock: this.clock,
      log,
    });
  }
}

describe('the live feed', () => {
  it('tells the state, the history, and then every second what has changed', async () => {
    const site = new Site();
    const viewer = new FakeViewer();
    site.feed.join(() => viewer);
    await settle();
    assert.deepEqual(viewer.got, ['state', 'history']);
    site.change = { revision: 8 };
    await site.clock.advance(2_000);
    assert.deepEqual(viewer.got.slice(2), ['tick', 'tick']);
    assert.deepEqual(viewer.ticks, [
      { at: '2026-01-02T12:00:01.000Z', revision: 8 },
      { at: '2026-01-02T12:00:02.000Z' },
    ]);
  });

  it('looks once for all who watch, and not at all for nobody', async () => {
    const site = new Site();
    assert.equal(site.clock.pending, 0);
    const leave = [site.feed.join(() => new FakeViewer()), site.feed.join(() => new FakeViewer())];
    await settle();
    const late = new FakeViewer();
    leave.push(site.feed.join(() => late));
    assert.deepEqual(late.got, ['state', 'history'], 'who comes later is told at once');
    assert.equal(site.histories, 1);
    await site.clock.advance(3_000);
    assert.equal(site.looks, 4);
    for (const go of leave) go();
    assert.equal(site.clock.pending, 0);
    await site.clock.advance(3_000);
    assert.equal(site.looks, 4);
  });

  it('begins anew for whoever comes after the last has left, with nothing of what was', async () => {
    const site = new Site();
    site.feed.join(() => new FakeViewer())();
    const viewer = new FakeViewer();
    site.feed.join(() => viewer);
    await settle();
    assert.deepEqual(viewer.got, ['state', 'history']);
    assert.equal(site.clock.pending, 1);
  });

  it('tells everything to who comes while a look goes on that was begun for one who has left', async () => {
    const site = new Site();
    const leave = site.feed.join(() => new FakeViewer());
    await settle();
    const gate = Promise.withResolvers<void>();
    site.gate = gate.promise;
    await site.clock.advance(1_000);
    leave();
    const viewer = new FakeViewer();
    site.feed.join(() => viewer);
    gate.resolve();
    await settle();
    assert.deepEqual(viewer.got, ['state', 'history']);
    assert.equal(site.looks, 3, 'what was found for the one before him is not for him');
    await site.clock.advance(1_000);
    assert.equal(viewer.got.at(-1), 'tick');
  });

  it('keeps nothing for one who cannot take more, and gives him the whole state when he can', async () => {
    const site = new Site();
    const [slow, quick] = [new FakeViewer(), new FakeViewer()];
    site.feed.join(() => slow);
    site.feed.join(() => quick);
    await site.clock.advance(1_000);
    slow.isSlow = true;
    await site.clock.advance(1_000);
    site.change = { revision: 9 };
    await site.clock.advance(3_000);
    assert.deepEqual(slow.got.slice(2), ['tick', 'tick']);
    assert.equal(quick.ticks.length, 5);
    slow.take();
    await site.clock.advance(1_000);
    assert.equal(slow.got.at(-1), 'state');
    assert.equal(slow.states.at(-1)?.revision, 9);
    slow.take();
    await site.clock.advance(1_000);
    assert.equal(slow.got.at(-1), 'tick');
  });

  it('still tells that it lives when it cannot look', async () => {
    const site = new Site();
    const viewer = new FakeViewer();
    site.feed.join(() => viewer);
    await settle();
    site.fault = new Error('a defect');
    await site.clock.advance(1_000);
    assert.deepEqual(viewer.ticks, [{ at: '2026-01-02T12:00:01.000Z' }]);
    site.fault = null;
    site.change = { revision: 8 };
    await site.clock.advance(1_000);
    assert.equal(viewer.ticks.at(-1)?.revision, 8);
  });

  it('lets no more in than it has room for, before anything is answered', async () => {
    const site = new Site();
    const leave = Array.from({ length: MOST_VIEWERS }, () => site.feed.join(() => new FakeViewer()));
    let hasEntered = false;
    const enter = () => {
      hasEntered = true;
      return new FakeViewer();
    };
    assert.throws(
      () => site.feed.join(enter),
      (error) => hasCode(error, 'TOO_MANY_VIEWERS'),
    );
    assert.equal(hasEntered, false);
    leave[0]?.();
    site.feed.join(enter);
    assert.equal(hasEntered, true);
  });

  it('sends everybody away when it stops', async () => {
    const site = new Site();
    const viewer = new FakeViewer();
    site.feed.join(() => viewer);
    await site.feed.stop();
    assert.equal(viewer.hasEnded, true);
    assert.equal(site.clock.pending, 0);
    assert.throws(
      () => site.feed.join(() => viewer),
      (error) => hasCode(error, 'SHUTTING_DOWN'),
    );
  });
});
