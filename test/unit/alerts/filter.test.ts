import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AlertDispatcher } from '../../../pkg/alerts/dispatcher.ts';
import { accepts, NO_FILTER } from '../../../pkg/alerts/filter.ts';
import { QuietCalendar } from '../../../pkg/alerts/quiet-calendar.ts';
import type { ChannelFilter, QuietWindow } from '../../../pkg/alerts/schema.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { alertAt, FakeLog, FakeNotifier, MemoryStore, START } from './support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WINDOW = 10_000;

/** Quiet hours that begin every day at this time, wherever the tests run. */
function quietFrom(at: number, length: number, except: QuietWindow['except'] = 'critical'): QuietWindow {
  const begin = new Date(at);
  return { cron: `${begin.getMinutes()} ${begin.getHours()} * * *`, for: length, except };
}

class FilteredNotifier extends FakeNotifier {
  readonly filter: ChannelFilter;

  constructor(filter: Partial<ChannelFilter>, name = 'filtered') {
    super(name);
    this.filter = { ...NO_FILTER, ...filter };
  }
}

describe('a filter', () => {
  it('lets through what is severe enough', () => {
    const severities = (['critical', 'warning', 'info'] as const).filter((severity) =>
      accepts({ ...NO_FILTER, severity: 'warning' }, alertAt(START, { severity })),
    );
    assert.deepEqual(severities, ['critical', 'warning']);
  });

  it('lets through what is about its services, or about none', () => {
    const services = ['web', 'api', undefined].filter((service) =>
      accepts({ ...NO_FILTER, services: ['web'] }, alertAt(START, { service })),
    );
    assert.deepEqual(services, ['web', undefined]);
  });
});

describe('quiet hours', () => {
  const until = (quiet: QuietWindow[], now: number, severity: 'critical' | 'warning' = 'warning') =>
    new QuietCalendar(quiet).until(severity, now);
  const night = quietFrom(START, 8 * HOUR);

  it('last from their beginning to their end, both to the millisecond', () => {
    assert.equal(until([night], START - 1), null);
    assert.equal(until([night], START), START + 8 * HOUR);
    assert.equal(until([night], START + 8 * HOUR - 1), START + 8 * HOUR);
    assert.equal(until([night], START + 8 * HOUR), null);
  });

  it('are found again and again while time goes on, and after the clock was set back', () => {
    const calendar = new QuietCalendar([night]);
    const asked = [-1, 0, 1, 8 * HOUR, 24 * HOUR - 1, 24 * HOUR, 100 * HOUR, -16 * HOUR, -20 * HOUR];
    assert.deepEqual(
      asked.map((after) => calendar.until('info', START + after)),
      [null, 8, 8, null, null, 32, 104, null, -16].map((hours) => hours && START + hours * HOUR),
    );
  });

  it('end with the last of those that overlap', () => {
    const other = quietFrom(START + HOUR, 9 * HOUR);
    assert.equal(until([night, other], START + 2 * HOUR), START + 10 * HOUR);
  });

  it('let what is critical through, unless nothing is to pass', () => {
    assert.equal(until([night], START, 'critical'), null);
    assert.equal(until([quietFrom(START, HOUR, 'nothing')], START, 'critical'), START + HOUR);
  });
});

describe('a channel with a filter', () => {
  function setUp(filter: Partial<ChannelFilter>, store = new MemoryStore()) {
    const clock = new ManualClock();
    const all = new FakeNotifier('all');
    const some = new FilteredNotifier(filter);
    const dispatcher = new AlertDispatcher({ notifiers: [all, some], clock, store, log: new FakeLog() });
    const raise = (key: string, severity: 'critical' | 'warning') =>
      dispatcher.raise(alertAt(clock.now(), { key, title: key, severity }));
    return { clock, all, some, store, dispatcher, raise };
  }

  it('gets its part of a message, and nothing when there is none', async () => {
    const { clock, all, some, raise, dispatcher } = setUp({ severity: 'critical' });
    raise('a', 'warning');
    raise('b', 'critical');
    await clock.advance(WINDOW);
    dispatcher.resolve('a');
    await clock.advance(WINDOW);
    assert.deepEqual(all.subjects, ['2 alerts: b, a', 'Resolved after 10 s: a']);
    assert.deepEqual(some.subjects, ['b']);
  });

  it('gets at the end of its quiet hours what happened in them, each once; what is critical at once', async () => {
    const { clock, all, some, store, raise, dispatcher } = setUp({ quiet: [quietFrom(START, 2 * HOUR)] });
    raise('a', 'warning');
    raise('b', 'critical');
    await clock.advance(HOUR);
    assert.deepEqual([all.subjects, some.subjects], [['2 alerts: b, a'], ['b']]);
    dispatcher.resolve('a');
    raise('c', 'warning');
    await clock.advance(HOUR - 1);
    assert.equal(some.sent.length, 1);
    assert.equal(store.deliveries.size, 2, 'they wait in the store');
    await clock.advance(1);
    assert.deepEqual(some.subjects.slice(1), ['1 alert, 1 resolved: c, a (resolved after 1 h)']);
    assert.equal(store.deliveries.size, 0);
    await clock.advance(24 * HOUR);
    assert.equal(some.sent.length, 2);
  });

  it('gets it from the next process when this one was killed meanwhile', async () => {
    const quiet = [quietFrom(START, 2 * HOUR)];
    const before = setUp({ quiet });
    before.raise('a', 'warning');
    await before.clock.advance(WINDOW);
    const next = setUp({ quiet }, before.store);
    await next.dispatcher.takeOver();
    await next.clock.advance(2 * HOUR - 1);
    assert.deepEqual(next.some.subjects, []);
    await next.clock.advance(1);
    assert.deepEqual(next.some.subjects, ['a']);
    assert.deepEqual(next.all.subjects, []);
  });

  it('gets it at once when the configuration has no quiet hours any more', async () => {
    const { clock, all, raise, dispatcher } = setUp({ quiet: [quietFrom(START, 2 * HOUR)] });
    raise('a', 'warning');
    await clock.advance(WINDOW);
    const loud = new FakeNotifier('filtered');
    dispatcher.reconfigure([all, loud]);
    await clock.advance(0);
    assert.deepEqual(loud.subjects, ['a']);
  });

  it('waits with one message rather than with hundreds', async () => {
    const { clock, some, store, raise, dispatcher } = setUp({ quiet: [quietFrom(START, 20 * HOUR)] });
    for (let round = 0; round < 120; round += 1) {
      raise(`a${round}`, 'warning');
      await clock.advance(WINDOW);
    }
    assert.ok(store.deliveries.size <= 100);
    dispatcher.resolve('a0');
    await clock.advance(20 * HOUR);
    assert.deepEqual(
      some.sent.map(({ entries }) => entries.length),
      [120],
    );
  });
});
