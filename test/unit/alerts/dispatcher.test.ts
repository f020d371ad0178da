import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Alert } from '../../../pkg/alerts/alert.ts';
import { AlertDispatcher, type AlertSettings } from '../../../pkg/alerts/dispatcher.ts';
import { NO_FILTER } from '../../../pkg/alerts/filter.ts';
import { DeliveryError } from '../../../pkg/alerts/notifier.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { alertAt, FakeLog, FakeNotifier } from './support.ts';

const WINDOW = 10_000;
const REPEAT = 300_000;
const OTHER = 'instance-down:web-9002';

function setUp({ notifiers = [new FakeNotifier()], ...settings }: { notifiers?: FakeNotifier[] } & AlertSettings = {}) {
  const clock = new ManualClock();
  const log = new FakeLog();
  const dispatcher = new AlertDispatcher({ notifiers, clock, log, random: () => 1, ...settings });
  const raise = (changes: Partial<Alert> = {}) => dispatcher.raise(alertAt(clock.now(), changes));
  const raiseOther = () => raise({ key: OTHER, title: 'web-9002 is down' });
  const resolve = (key = 'instance-down:web-9001') => dispatcher.resolve(key, clock.now());
  const [notifier = new FakeNotifier()] = notifiers;
  return { clock, log, dispatcher, raise, raiseOther, resolve, notifier };
}

describe('the alert dispatcher groups', () => {
  it('sends one message for everything that begins within the window', async () => {
    const { clock, raise, raiseOther, notifier } = setUp();
    raise();
    await clock.advance(WINDOW - 1);
    raiseOther();
    assert.equal(notifier.sent.length, 0);
    await clock.advance(1);
    assert.deepEqual(notifier.subjects, ['2 alerts: web-9001 is down, web-9002 is down']);
  });

  it('opens a new window after the last one was sent', async () => {
    const { clock, raise, raiseOther, notifier } = setUp();
    raise();
    await clock.advance(WINDOW);
    raiseOther();
    await clock.advance(WINDOW - 1);
    assert.equal(notifier.sent.length, 1);
    await clock.advance(1);
    assert.equal(notifier.sent.length, 2);
  });

  it('tells a condition that begins and ends within the window once, with how long it lasted', async () => {
    const { clock, raise, resolve, notifier } = setUp();
    raise();
    await clock.advance(800);
    resolve();
    await clock.advance(REPEAT);
    assert.deepEqual(notifier.subjects, ['Resolved after 0.8 s: web-9001 is down']);
  });

  it('says nothing of one that turns out to be part of another, unless people have heard of it', async () => {
    const { clock, dispatcher, raise, raiseOther, notifier } = setUp();
    raise();
    await clock.advance(800);
    dispatcher.retract('instance-down:web-9001', clock.now());
    await clock.advance(WINDOW);
    assert.deepEqual([notifier.subjects, dispatcher.active()], [[], []]);
    raiseOther();
    await clock.advance(WINDOW);
    dispatcher.retract(OTHER, clock.now());
    await clock.advance(WINDOW);
    assert.deepEqual(notifier.subjects, ['web-9002 is down', 'Resolved after 10 s: web-9002 is down']);
  });
});

describe('the alert dispatcher tells each thing once', () => {
  it('does not repeat a condition that is raised again before the repeat time', async () => {
    const { clock, raise, notifier } = setUp();
    raise();
    await clock.advance(WINDOW);
    for (let second = 0; second < 5; second += 1) {
      raise();
      await clock.advance(1_000);
    }
    await clock.advance(REPEAT);
    assert.equal(notifier.sent.length, 1);
  });

  it('repeats a condition that is raised again after the repeat time, with its true beginning', async () => {
    const { clock, raise, notifier } = setUp();
    raise();
    await clock.advance(WINDOW + REPEAT);
    raise({ cause: 'status 503' });
    await clock.advance(WINDOW);
    assert.equal(notifier.subjects[1], 'web-9001 is down (status 503) for 5 min 20 s');
  });

  it('always tells the end of what it announced, with how long it lasted', async () => {
    const { clock, raise, resolve, notifier } = setUp();
    raise();
    await clock.advance(125_000);
    resolve();
    await clock.advance(WINDOW);
    assert.equal(notifier.subjects[1], 'Resolved after 2 min 5 s: web-9001 is down');
  });

  it('says nothing about the end of what never began or ended before', async () => {
    const { clock, raise, resolve, notifier } = setUp();
    resolve('unknown');
    raise();
    await clock.advance(WINDOW);
    resolve();
    resolve();
    await clock.advance(WINDOW);
    resolve();
    await clock.advance(WINDOW);
    assert.equal(notifier.sent.length, 2);
  });

  it('does not tell a recovery that lasted shorter than the window', async () => {
    const { clock, raise, resolve, notifier } = setUp();
    raise();
    await clock.advance(WINDOW);
    resolve();
    await clock.advance(WINDOW - 1);
    raise();
    await clock.advance(WINDOW);
    assert.equal(notifier.sent.length, 1);
    resolve();
    await clock.advance(WINDOW);
    assert.equal(notifier.subjects[1], 'Resolved after 30 s: web-9001 is down', 'it is one outage');
  });

  it('announces a second outage after a recovery that people were told of: the last word was that all is well', async () => {
    const { clock, raise, resolve, notifier } = setUp();
    raise();
    await clock.advance(WINDOW);
    resolve();
    await clock.advance(WINDOW);
    raise();
    await clock.advance(WINDOW);
    assert.deepEqual(notifier.subjects.slice(2), ['web-9001 is down']);
  });

  it('announces a flapping condition three times per repeat time, and tells then how often it began', async () => {
    const { clock, raise, resolve, notifier } = setUp();
    for (let round = 0; round < 6; round += 1) {
      raise();
      await clock.advance(20_000);
      resolve();
      await clock.advance(20_000);
    }
    const outage = ['web-9001 is down', 'Resolved after 20 s: web-9001 is down'];
    assert.deepEqual(notifier.subjects, [...outage, ...outage, ...outage]);
    raise();
    await clock.advance(REPEAT);
    assert.equal(notifier.sent.length, 7);
    assert.equal(notifier.sent[6]?.entries[0]?.state, 'firing');
    assert.match(notifier.sent[6]?.text ?? '', /happened 4 times since the last message/);
  });

  it('holds a flapping condition back without delaying another, and tells it in its time', async () => {
    const { clock, raise, raiseOther, resolve, notifier } = setUp();
    for (let round = 0; round < 3; round += 1) {
      raise();
      await clock.advance(WINDOW);
      resolve();
      await clock.advance(WINDOW);
    }
    raiseOther();
    raise();
    await clock.advance(WINDOW);
    assert.deepEqual(notifier.subjects.slice(6), ['web-9002 is down']);
    await clock.advance(REPEAT - 6 * WINDOW - 1);
    assert.equal(notifier.sent.length, 7);
    await clock.advance(1);
    assert.match(notifier.subjects[7] ?? '', /^web-9001 is down for/);
  });

  it('forgets a condition that ended long ago: it is news again', async () => {
    const { clock, raise, resolve, notifier } = setUp();
    raise();
    await clock.advance(WINDOW);
    resolve();
    await clock.advance(REPEAT);
    raise();
    await clock.advance(WINDOW);
    assert.equal(notifier.subjects[2], 'web-9001 is down');
  });
});

describe('the alert dispatcher knows what is active', () => {
  it('lists active conditions with their first beginning and their latest cause, oldest first', async () => {
    const { clock, dispatcher, raise, raiseOther, resolve } = setUp();
    const startedAt = clock.now();
    raise();
    await clock.advance(1_000);
    raiseOther();
    raise({ cause: 'status 503' });
    assert.deepEqual(
      dispatcher.active().map(({ key, at, cause }) => ({ key, at, cause })),
      [
        { key: 'instance-down:web-9001', at: startedAt, cause: 'status 503' },
        { key: OTHER, at: startedAt + 1_000, cause: undefined },
      ],
    );
    resolve();
    assert.deepEqual(
      dispatcher.active().map(({ key }) => key),
      [OTHER],
    );
  });

  it('needs no timer without channels, and still lists what is active', () => {
    const { clock, dispatcher, raise, raiseOther, resolve } = setUp({ notifiers: [] });
    raise();
    raiseOther();
    resolve(OTHER);
    assert.equal(clock.pending, 0);
    assert.equal(dispatcher.active().length, 1);
  });
});

describe('the alert dispatcher tests its channels', () => {
  it('sends a test to every channel at once, past the queues, and reports each', async () => {
    const good = new FakeNotifier('good');
    const bad = new FakeNotifier('bad');
    bad.failures.push(new Error('535 authentication failed'));
    const { dispatcher } = setUp({ notifiers: [good, bad] });
    assert.deepEqual(await dispatcher.test(), [
      { channel: 'good', ok: true, durationMs: 0 },
      { channel: 'bad', ok: false, error: '535 authentication failed', durationMs: 0 },
    ]);
    assert.equal(good.subjects[0]?.startsWith('Test alert from heimdall'), true);
    assert.equal(bad.attempts, 1, 'a test is not repeated');
  });
});

describe('the alert dispatcher ends', () => {
  it('sends what is pending at once when flushed', async () => {
    const { dispatcher, raise, notifier } = setUp();
    raise();
    await dispatcher.flush();
    assert.deepEqual(notifier.subjects, ['web-9001 is down']);
  });

  it('gives up flushing at the deadline, and logs what is lost when closed', async () => {
    const { clock, log, dispatcher, raise, notifier } = setUp();
    notifier.hangs = true;
    raise();
    let flushed = false;
    const flushing = dispatcher.flush(2_000).then(() => {
      flushed = true;
    });
    await clock.advance(1_999);
    assert.equal(flushed, false);
    await clock.advance(1);
    await flushing;
    dispatcher.close();
    assert.deepEqual(log.lines.at(-1), {
      level: 'warn',
      message: 'alerts given up: their channels were closed',
      fields: { lost: ['web-9001 is down'] },
    });
  });

  it('leaves no timer and sends nothing more once closed', async () => {
    const { clock, dispatcher, raise, raiseOther, notifier } = setUp();
    raise();
    dispatcher.close();
    raiseOther();
    await clock.advance(REPEAT);
    assert.equal(clock.pending, 0);
    assert.equal(notifier.sent.length, 0);
  });
});

describe('the alert dispatcher takes over a changed configuration', () => {
  it('sends what was pending through the new channels', async () => {
    const { clock, dispatcher, raise, notifier } = setUp();
    const other = new FakeNotifier('other');
    raise();
    dispatcher.reconfigure([other]);
    await clock.advance(WINDOW);
    assert.equal(notifier.sent.length, 0);
    assert.deepEqual(other.subjects, ['web-9001 is down']);
  });

  it('tries what waits in a kept channel at once with the new settings', async () => {
    const { clock, dispatcher, raise, notifier } = setUp();
    notifier.failures.push(new Error('no such host'));
    raise();
    await clock.advance(WINDOW);
    const mended = new FakeNotifier(notifier.name);
    dispatcher.reconfigure([mended]);
    await settle();
    assert.deepEqual(mended.subjects, ['web-9001 is down']);
  });

  it('hands what a removed channel did not deliver to the added one, not to the one that stayed', async () => {
    const stays = new FakeNotifier('stays');
    const goes = new FakeNotifier('goes');
    goes.failures.push(new Error('no such host'));
    const { clock, dispatcher, raise } = setUp({ notifiers: [stays, goes] });
    raise();
    await clock.advance(WINDOW);
    const comes = new FakeNotifier('comes');
    dispatcher.reconfigure([new FakeNotifier('stays'), comes]);
    await clock.advance(REPEAT);
    assert.deepEqual([stays.sent.length, goes.attempts, comes.sent.length], [1, 1, 1]);
  });

  it('hands nothing to an added channel that its filter keeps from it', async () => {
    const goes = new FakeNotifier('goes');
    goes.failures.push(new Error('no such host'));
    const { clock, dispatcher, raise } = setUp({ notifiers: [goes] });
    raise({ key: 'a', title: 'web is slow', service: 'web' });
    raise({ key: 'b', title: 'api is slow', service: 'api' });
    await clock.advance(WINDOW);
    const added = ['web', 'shop'].map((service) => {
      return Object.assign(new FakeNotifier(service), { filter: { ...NO_FILTER, services: [service] } });
    });
    dispatcher.reconfigure(added);
    await clock.advance(REPEAT);
    const [ofWeb, ofShop] = added.map(({ sent }) => sent.map(({ text }) => text));
    assert.equal(ofWeb?.length, 1);
    assert.match(ofWeb?.[0] ?? '', /web is slow/);
    assert.doesNotMatch(ofWeb?.[0] ?? '', /api/);
    assert.deepEqual(ofShop, []);
  });

  it('tells the first channel what has been active since before it existed', async () => {
    const { clock, dispatcher, raise } = setUp({ notifiers: [] });
    raise();
    await clock.advance(REPEAT);
    const first = new FakeNotifier('first');
    dispatcher.reconfigure([first]);
    await clock.advance(WINDOW);
    assert.deepEqual(first.subjects, ['web-9001 is down for 5 min 10 s']);
  });

  it('tells a later channel without delay what came due while there was none', async () => {
    const { clock, dispatcher, raise } = setUp();
    raise();
    dispatcher.reconfigure([]);
    await clock.advance(WINDOW);
    const later = new FakeNotifier('later');
    dispatcher.reconfigure([later]);
    await clock.advance(WINDOW);
    assert.deepEqual(later.subjects, ['web-9001 is down']);
  });

  it('keeps quiet about what people know already', async () => {
    const { clock, dispatcher, raise, notifier } = setUp();
    raise();
    await clock.advance(WINDOW);
    const again = new FakeNotifier(notifier.name);
    dispatcher.reconfigure([again, new FakeNotifier('second')]);
    await clock.advance(REPEAT);
    assert.equal(again.sent.length, 0);
  });

  it('applies a new window and a new repeat time', async () => {
    const { clock, dispatcher, raise, notifier } = setUp();
    dispatcher.reconfigure([notifier], { groupWindowMs: 500, repeatAfterMs: 2_000 });
    raise();
    await clock.advance(500);
    await clock.advance(2_000);
    raise();
    await clock.advance(500);
    assert.equal(notifier.sent.length, 2);
  });

  it('forgets what ended while every channel was gone', async () => {
    const { clock, dispatcher, raise, resolve, notifier } = setUp();
    raise();
    await clock.advance(WINDOW);
    dispatcher.reconfigure([]);
    resolve();
    const later = new FakeNotifier('later');
    dispatcher.reconfigure([later]);
    await clock.advance(REPEAT);
    assert.deepEqual([notifier.sent.length, later.sent.length], [1, 0]);
    raise();
    await clock.advance(WINDOW);
    assert.deepEqual(later.subjects, ['web-9001 is down'], 'a new outage is news');
  });

  it('logs what a removed channel did not deliver when no other takes its place', async () => {
    const { clock, log, dispatcher, raise, notifier } = setUp();
    notifier.hangs = true;
    raise();
    await clock.advance(WINDOW);
    dispatcher.reconfigure([]);
    assert.deepEqual(log.lines.at(-1)?.fields, { lost: ['web-9001 is down'] });
  });
});

describe('the alert dispatcher never fails its caller', () => {
  it('reaches one channel at once while another hangs', async () => {
    const stuck = new FakeNotifier('stuck');
    stuck.hangs = true;
    const free = new FakeNotifier('free');
    const { clock, raise, raiseOther } = setUp({ notifiers: [stuck, free] });
    raise();
    await clock.advance(WINDOW);
    raiseOther();
    await clock.advance(WINDOW);
    assert.deepEqual([stuck.attempts, free.sent.length], [1, 2]);
  });

  it('logs a channel that refuses for good, and goes on', async () => {
    const { clock, log, raise, raiseOther, notifier } = setUp();
    notifier.failures.push(new DeliveryError('status 404', { retryable: false }));
    raise();
    await clock.advance(WINDOW);
    raiseOther();
    await clock.advance(WINDOW);
    assert.deepEqual(log.of('error'), ['alert not delivered']);
    assert.deepEqual(notifier.subjects, ['web-9002 is down']);
  });
});
