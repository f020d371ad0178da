import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AlertDispatcher, type AlertSettings } from '../../../pkg/alerts/dispatcher.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { alertAt, FakeLog, FakeNotifier, MemoryStore } from './support.ts';

const WINDOW = 10_000;
const REPEAT = 300_000;
const KEY = 'instance-down:web-9001';

/** One process after the other on one store; all live by the same clock, which those that were killed do not hear any more. */
class Site {
  readonly store = new MemoryStore();
  elapsed = 0;

  process(notifiers: readonly FakeNotifier[], settings: AlertSettings = {}) {
    const log = new FakeLog();
    const clock = new ManualClock();
    const ready = clock.advance(this.elapsed);
    const dispatcher = new AlertDispatcher({ notifiers, clock, log, store: this.store, random: () => 1, ...settings });
    return {
      log,
      dispatcher,
      ready,
      raise: () => dispatcher.raise(alertAt(clock.now())),
      resolve: () => dispatcher.resolve(KEY, clock.now()),
      advance: async (ms: number) => {
        this.elapsed += ms;
        await clock.advance(ms);
        await settle();
      },
    };
  }

  /** A process that is there after another one was killed. */
  async successor(notifiers: readonly FakeNotifier[]) {
    const next = this.process(notifiers);
    await next.ready;
    const held = await next.dispatcher.takeOver();
    return { ...next, held: held.map(({ key }) => key) };
  }
}

describe('alerts in a store', () => {
  it('are there before a message is sent, and the message is gone when it was delivered', async () => {
    const site = new Site();
    const notifier = new FakeNotifier();
    const stored: string[] = [];
    notifier.send = async ({ id }) => {
      stored.push(...[...site.store.deliveries.values()].map(({ notification }) => notification.id));
      assert.deepEqual(stored, [id]);
    };
    const { raise, advance } = site.process([notifier]);
    raise();
    await settle();
    assert.deepEqual(
      [...site.store.outages.values()].map(({ alert, told, open }) => [alert.key, told, open]),
      [[KEY, false, true]],
    );
    await advance(WINDOW);
    assert.equal(stored.length, 1);
    assert.equal(site.store.deliveries.size, 0);
  });

  it('are not told again by the next process when the store took a message, but its answer was lost', async () => {
    const site = new Site();
    const save = site.store.save.bind(site.store);
    site.store.save = async (changes) => {
      await save(changes);
      if (changes.made.length === 0) return;
      site.store.save = save;
      throw new Error('no answer');
    };
    const notifier = new FakeNotifier();
    const { raise, advance } = site.process([notifier]);
    raise();
    await advance(WINDOW);
    await advance(WINDOW);
    assert.equal(notifier.subjects.length, 1);
    assert.equal(site.store.deliveries.size, 0);
  });

  it('are told by the next process when this one is killed before it made a message', async () => {
    const site = new Site();
    const before = site.process([new FakeNotifier()]);
    before.raise();
    await settle();
    const notifier = new FakeNotifier();
    const { held, advance } = await site.successor([notifier]);
    assert.deepEqual(held, [KEY]);
    await advance(WINDOW);
    assert.deepEqual(notifier.subjects, ['web-9001 is down']);
  });

  it('reach the channel that did not have them from the next process, under the same id; the other hears nothing twice', async () => {
    const site = new Site();
    const good = new FakeNotifier('good');
    const bad = new FakeNotifier('bad');
    bad.failures.push(new Error('no such host'));
    const before = site.process([good, bad]);
    before.raise();
    await before.advance(WINDOW);
    assert.deepEqual([good.sent.length, bad.attempts], [1, 1]);

    const next = [new FakeNotifier('good'), new FakeNotifier('bad')];
    const { advance } = await site.successor(next);
    await advance(REPEAT - 1);
    assert.deepEqual(
      next.map(({ sent }) => sent.map(({ id }) => id)),
      [[], good.sent.map(({ id }) => id)],
    );
    assert.equal(site.store.deliveries.size, 0);
  });

  it('are told to be over by the next process, with the whole duration', async () => {
    const site = new Site();
    const before = site.process([new FakeNotifier()]);
    before.raise();
    await before.advance(60_000);
    const notifier = new FakeNotifier();
    const { held, resolve, advance } = await site.successor([notifier]);
    assert.deepEqual(held, [KEY]);
    await advance(60_000);
    resolve();
    await advance(WINDOW);
    assert.deepEqual(notifier.subjects, ['Resolved after 2 min: web-9001 is down']);
    assert.deepEqual(
      [...site.store.outages.values()].map(({ open }) => open),
      [false],
    );
  });

  it('are told to be over by the next process when this one is killed before it could', async () => {
    const site = new Site();
    const before = site.process([new FakeNotifier()]);
    before.raise();
    await before.advance(60_000);
    before.resolve();
    await settle();
    const notifier = new FakeNotifier();
    const { held, advance } = await site.successor([notifier]);
    assert.deepEqual(held, []);
    await advance(WINDOW);
    assert.deepEqual(notifier.subjects, ['Resolved after 1 min: web-9001 is down']);
  });

  it('are not told again when the next process sees the same, however long ago that was', async () => {
    const site = new Site();
    const before = site.process([new FakeNotifier()]);
    before.raise();
    await before.advance(2 * REPEAT);
    const notifier = new FakeNotifier();
    const { dispatcher, raise, advance } = await site.successor([notifier]);
    assert.equal(dispatcher.inherited().length, 1);
    raise();
    assert.equal(dispatcher.inherited().length, 0);
    await advance(WINDOW);
    assert.deepEqual(notifier.sent, []);
  });

  it('are one outage when the next process has seen the same before it took over', async () => {
    const site = new Site();
    const before = site.process([new FakeNotifier()]);
    before.raise();
    await before.advance(60_000);
    const notifier = new FakeNotifier();
    const next = site.process([notifier]);
    await next.ready;
    next.raise();
    assert.deepEqual(await next.dispatcher.takeOver(), [], 'it is known here, and needs no look');
    await next.advance(WINDOW);
    assert.deepEqual(notifier.sent, []);
    next.resolve();
    await next.advance(WINDOW);
    assert.deepEqual(notifier.subjects, ['Resolved after 1 min 10 s: web-9001 is down']);
  });

  it('leave the history of what was over before as it is', async () => {
    const site = new Site();
    const before = site.process([new FakeNotifier()]);
    const next = site.process([new FakeNotifier()]);
    next.raise();
    await next.advance(WINDOW);
    next.resolve();
    await next.advance(WINDOW);
    const [over] = site.store.outages.values();
    before.raise();
    await settle();
    assert.deepEqual(await next.dispatcher.takeOver().then((held) => held.length), 1);
    await settle();
    assert.ok(over?.open === false);
    assert.deepEqual(site.store.outages.get(over.id), over);
  });

  it('are left to another process without a word', async () => {
    const site = new Site();
    const notifier = new FakeNotifier();
    const { dispatcher, raise, advance, resolve } = site.process([notifier]);
    raise();
    await settle();
    dispatcher.release(KEY);
    resolve();
    await advance(REPEAT);
    assert.deepEqual(notifier.sent, []);
    assert.deepEqual(site.store.released, [...site.store.outages.keys()]);
  });

  it('are given up for good after the last attempt, and when their channel is not configured any more', async () => {
    const site = new Site();
    const notifier = new FakeNotifier();
    notifier.failures.push(...Array.from({ length: 5 }, () => new Error('no such host')));
    const before = site.process([notifier, new FakeNotifier('removed later')], {
      retry: { attempts: 5, baseMs: 1, growth: 1, maxMs: 1 },
    });
    before.raise();
    await before.advance(WINDOW + 10);
    assert.equal(site.store.deliveries.size, 0);
    const [outage] = site.store.outages.values();
    assert.ok(outage);

    const lonely = new FakeNotifier('removed later');
    lonely.hangs = true;
    const other = site.process([lonely]);
    await other.ready;
    other.dispatcher.raise(alertAt(0, { key: 'another' }));
    await other.advance(WINDOW);
    assert.equal(site.store.deliveries.size, 1);
    const { log } = await site.successor([notifier]);
    await settle();
    assert.equal(site.store.deliveries.size, 0);
    assert.ok(log.of('warn').includes('alerts given up: their channels were closed'));
  });

  it('wait for the next process when this one ends with something undelivered', async () => {
    const site = new Site();
    const stuck = new FakeNotifier();
    stuck.hangs = true;
    const { log, dispatcher, raise, advance } = site.process([stuck]);
    raise();
    await advance(WINDOW);
    dispatcher.close();
    assert.deepEqual(log.of('warn'), ['alerts left to the next process']);
    const notifier = new FakeNotifier();
    await site.successor([notifier]);
    await settle();
    assert.deepEqual(notifier.subjects, ['web-9001 is down']);
  });
});

describe('alerts without their store', () => {
  it('are sent all the same, and stored when it is back', async () => {
    const site = new Site();
    site.store.away = true;
    const notifier = new FakeNotifier();
    const { log, raise, advance, dispatcher } = site.process([notifier]);
    assert.deepEqual(await dispatcher.takeOver(), []);
    raise();
    await advance(WINDOW);
    assert.deepEqual(notifier.subjects, ['web-9001 is down']);
    assert.equal(log.of('warn').length, 1, 'said once');
    site.store.away = false;
    await advance(5_000);
    assert.deepEqual(
      [...site.store.outages.values()].map(({ told }) => told),
      [true],
    );
    assert.equal(site.store.deliveries.size, 0, 'what was delivered meanwhile is not stored as to be sent');
  });
});
