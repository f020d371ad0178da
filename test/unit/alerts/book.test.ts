import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSilenced, type SilenceMatch } from '../../../pkg/alerts/book.ts';
import { AlertDispatcher } from '../../../pkg/alerts/dispatcher.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { alertAt, FakeLog, FakeNotifier, MemoryStore, START } from './support.ts';

const WINDOW = 10_000;
const REPEAT = 300_000;
const KEY = 'instance-down:web-9001';

function silence(match: SilenceMatch, until = START + 3_600_000) {
  return { id: 1, match, createdAt: START, until, by: 'ann', comment: '' };
}

describe('a silence', () => {
  const alert = alertAt(START, { service: 'web', instance: 'web-9001' });
  const cases: readonly (readonly [SilenceMatch, boolean])[] = [
    [{ key: KEY }, true],
    [{ key: 'instance-down:*' }, true],
    [{ key: '*:web*1' }, true],
    [{ key: '*' }, true],
    [{ key: 'instance-down' }, false],
    [{ key: '*down:*web-9001*9001' }, false],
    [{ key: 'instance.down:*' }, false],
    [{ service: 'web', instance: 'web-9001', severity: 'critical' }, true],
    [{ service: 'web', severity: 'info' }, false],
    [{ instance: 'web-9002' }, false],
  ];
  for (const [match, expected] of cases) {
    it(`for ${JSON.stringify(match)} is ${expected ? '' : 'not '}about an instance that is down`, () => {
      assert.equal(isSilenced(alert, [silence(match)], START), expected);
    });
  }

  it('ends', () => assert.equal(isSilenced(alert, [silence({ key: '*' }, START)], START), false));
});

function setUp() {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const notifier = new FakeNotifier();
  const dispatcher = new AlertDispatcher({ notifiers: [notifier], clock, store, log: new FakeLog() });
  const raise = () => dispatcher.raise(alertAt(clock.now()));
  const resolve = () => dispatcher.resolve(KEY, clock.now());
  return { store, clock, notifier, dispatcher, raise, resolve };
}

describe('a silenced alert', () => {
  it('is told when it outlasts the silence, with its true beginning', async () => {
    const { store, clock, notifier, raise } = setUp();
    store.silences.push(silence({ key: KEY }, START + 120_000));
    raise();
    await clock.advance(119_999);
    assert.deepEqual(notifier.sent, []);
    await clock.advance(WINDOW);
    assert.deepEqual(notifier.subjects, ['web-9001 is down for 2 min']);
  });

  it('is told soon after the silence was removed', async () => {
    const { store, clock, notifier, raise } = setUp();
    store.silences.push(silence({ key: KEY }));
    raise();
    await clock.advance(60_000);
    store.silences.pop();
    await clock.advance(WINDOW);
    assert.equal(notifier.sent.length, 1);
  });

  it('that ends within the silence is never told, and another one is', async () => {
    const { store, clock, dispatcher, notifier, raise, resolve } = setUp();
    store.silences.push(silence({ key: KEY }));
    raise();
    dispatcher.raise(alertAt(clock.now(), { key: 'other', title: 'other trouble' }));
    await clock.advance(60_000);
    resolve();
    await clock.advance(2 * 3_600_000);
    assert.deepEqual(notifier.subjects, ['other trouble']);
    const [outage] = store.outages.values();
    assert.deepEqual([outage?.open, outage?.told], [false, false]);
  });

  it('of which people were told before is told to be over', async () => {
    const { store, clock, notifier, raise, resolve } = setUp();
    raise();
    await clock.advance(WINDOW);
    store.silences.push(silence({ key: KEY }));
    resolve();
    await clock.advance(WINDOW);
    assert.deepEqual(notifier.subjects, ['web-9001 is down', 'Resolved after 10 s: web-9001 is down']);
  });
});

describe('an acknowledged alert', () => {
  it('is not repeated, and its end is told', async () => {
    const { store, clock, notifier, raise, resolve } = setUp();
    raise();
    await clock.advance(WINDOW);
    for (const id of store.outages.keys()) store.acknowledged.add(id);
    await clock.advance(2 * REPEAT);
    raise();
    await clock.advance(2 * REPEAT);
    assert.equal(notifier.sent.length, 1);
    resolve();
    await clock.advance(WINDOW);
    assert.match(notifier.subjects[1] ?? '', /^Resolved after 20 min/);
  });

  it('is not announced when somebody knew before the message was made; the next outage is', async () => {
    const { store, clock, notifier, raise, resolve } = setUp();
    raise();
    await clock.advance(1);
    for (const id of store.outages.keys()) store.acknowledged.add(id);
    await clock.advance(WINDOW);
    assert.deepEqual(notifier.sent, []);
    resolve();
    await clock.advance(WINDOW);
    raise();
    await clock.advance(WINDOW);
    assert.deepEqual(notifier.subjects, ['Resolved after 10 s: web-9001 is down', 'web-9001 is down']);
  });
});
