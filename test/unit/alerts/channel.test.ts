import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Channel, DEFAULT_RETRY } from '../../../pkg/alerts/channel.ts';
import { DeliveryError } from '../../../pkg/alerts/notifier.ts';
import { renderTest } from '../../../pkg/alerts/render.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { FakeLog, FakeNotifier, START } from './support.ts';

const RETRY = { attempts: 5, baseMs: 1_000, growth: 2, maxMs: 4_000 };

function setUp(random = 1) {
  const clock = new ManualClock();
  const log = new FakeLog();
  const notifier = new FakeNotifier();
  const channel = new Channel(notifier, RETRY, { clock, log, random: () => random });
  return { clock, log, notifier, channel };
}

function failTimes(notifier: FakeNotifier, times: number): void {
  for (let time = 0; time < times; time += 1) notifier.failures.push(new Error('connect ECONNREFUSED'));
}

const message = (id = 'a') => renderTest(START, id);

describe('a channel', () => {
  it('repeats a failed attempt after 1, 2, 4 and again 4 seconds, its longest', async () => {
    const { clock, notifier, channel, log } = setUp();
    failTimes(notifier, 4);
    channel.enqueue(message());
    for (const [index, delay] of [1_000, 2_000, 4_000, 4_000].entries()) {
      await clock.advance(delay - 1);
      assert.equal(notifier.attempts, index + 1);
      await clock.advance(1);
      assert.equal(notifier.attempts, index + 2);
    }
    assert.equal(notifier.sent.length, 1);
    assert.equal(log.of('warn').length, 4);
    assert.deepEqual(log.of('error'), []);
  });

  // RFC 6647: a server that does not know a sender refuses for a while, five minutes in most installations.
  it('outlasts a mail server that puts off strangers for five minutes, however the delays fall', async () => {
    for (const random of [0, 0.5, 0.999]) {
      const clock = new ManualClock();
      const notifier = new FakeNotifier();
      notifier.send = async (notification) => {
        if (clock.monotonic() < 300_000) throw new DeliveryError('450 greylisted', { retryable: true });
        notifier.sent.push(notification);
      };
      const channel = new Channel(notifier, DEFAULT_RETRY, { clock, log: new FakeLog(), random: () => random });
      channel.enqueue(message());
      await clock.advance(900_000);
      assert.equal(notifier.sent.length, 1, `with ${random}`);
    }
  });

  it('takes at least half of each delay, so that channels do not knock in step', async () => {
    const { clock, notifier, channel } = setUp(0);
    failTimes(notifier, 1);
    channel.enqueue(message());
    await clock.advance(499);
    assert.equal(notifier.attempts, 1);
    await clock.advance(1);
    assert.equal(notifier.attempts, 2);
  });

  it('logs an error after the last attempt, and goes on with the next message', async () => {
    const { clock, notifier, channel, log } = setUp();
    failTimes(notifier, 5);
    channel.enqueue(message('a'));
    channel.enqueue(message('b'));
    await clock.advance(60_000);
    assert.deepEqual(log.of('error'), ['alert not delivered']);
    assert.deepEqual(
      notifier.sent.map(({ id }) => id),
      ['b'],
    );
  });

  it('makes one attempt only when the receiver refuses for good', async () => {
    const { clock, notifier, channel, log } = setUp();
    notifier.failures.push(new DeliveryError('status 400', { retryable: false }));
    channel.enqueue(message());
    await clock.advance(60_000);
    assert.equal(notifier.attempts, 1);
    assert.equal(log.of('error').length, 1);
  });

  it('waits as long as the receiver asks, up to its longest delay', async () => {
    const { clock, notifier, channel } = setUp();
    notifier.failures.push(new DeliveryError('status 429', { retryable: true, retryAfterMs: 3_000 }));
    notifier.failures.push(new DeliveryError('status 429', { retryable: true, retryAfterMs: 3_600_000 }));
    channel.enqueue(message());
    await clock.advance(2_999);
    assert.equal(notifier.attempts, 1);
    await clock.advance(1);
    assert.equal(notifier.attempts, 2);
    await clock.advance(4_000);
    assert.equal(notifier.attempts, 3);
  });

  it('gives up an attempt that never ends', async () => {
    const { clock, notifier, channel, log } = setUp();
    notifier.hangs = true;
    channel.enqueue(message());
    await clock.advance(60_000);
    notifier.hangs = false;
    await clock.advance(1_000);
    assert.equal(notifier.sent.length, 1);
    assert.deepEqual(log.lines[0]?.fields, {
      channel: 'fake',
      subject: message().subject,
      attempt: 1,
      cause: 'not sent within 1 min',
    });
  });

  it('drops the oldest waiting message when a hundred wait, and logs it', async () => {
    const { clock, notifier, channel, log } = setUp();
    notifier.hangs = true;
    for (let index = 0; index <= 101; index += 1) channel.enqueue(message(String(index)));
    assert.deepEqual(log.of('error'), ['alert dropped: too many are waiting']);
    notifier.hangs = false;
    await clock.advance(120_000);
    const ids = notifier.sent.map(({ id }) => id);
    assert.equal(ids.length, 101);
    assert.deepEqual(ids.slice(0, 3), ['0', '2', '3']);
  });

  it('returns what it did not deliver when closed, aborts the attempt, and leaves no timer', async () => {
    const { clock, notifier, channel } = setUp();
    notifier.hangs = true;
    channel.enqueue(message('a'));
    channel.enqueue(message('b'));
    assert.deepEqual(
      channel.close().map(({ id }) => id),
      ['a', 'b'],
    );
    await settle();
    assert.equal(clock.pending, 0);
    assert.equal(notifier.attempts, 1);
  });
});
