import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Alert, NotificationEntry } from '../../../pkg/alerts/alert.ts';
import { clip, formatDuration, renderNotification, renderTest } from '../../../pkg/alerts/render.ts';
import { alertAt, START } from './support.ts';

function firing(changes: Partial<Alert> = {}, occurrences = 1): NotificationEntry {
  return { alert: alertAt(START, changes), state: 'firing', resolvedAt: null, occurrences };
}

function resolved(afterMs: number, changes: Partial<Alert> = {}): NotificationEntry {
  return { alert: alertAt(START, changes), state: 'resolved', resolvedAt: START + afterMs, occurrences: 1 };
}

const render = (entries: NotificationEntry[], at = START + 10_000) => renderNotification(entries, at, 'id');

describe('a notification', () => {
  it('names the trouble and its cause in the subject', () => {
    const { subject, level } = render([firing({ cause: 'connect ECONNREFUSED 127.0.0.1:9001' })]);
    assert.equal(subject, 'web-9001 is down (connect ECONNREFUSED 127.0.0.1:9001)');
    assert.equal(level, 'critical');
  });

  it('says how long the trouble lasted when it is over', () => {
    const { subject, level } = render([resolved(800)]);
    assert.equal(subject, 'Resolved after 0.8 s: web-9001 is down');
    assert.equal(level, 'resolved');
  });

  it('counts what fires and what is over', () => {
    const { subject } = render([
      resolved(5_000, { title: 'a is down' }),
      firing({ title: 'b is down' }),
      firing({ title: 'c is down' }),
    ]);
    assert.equal(subject, '2 alerts, 1 resolved: b is down, c is down, a is down (resolved after 5 s)');
    assert.equal(render([resolved(1_000), resolved(1_000)]).subject.startsWith('2 resolved: '), true);
    assert.equal(render([resolved(1_000), firing()]).subject.startsWith('1 alert, 1 resolved: '), true);
  });

  it('puts the worst first and the resolved last, and has the level of the worst that fires', () => {
    const { entries, level } = render([
      resolved(1_000),
      firing({ severity: 'info' }),
      firing({ severity: 'warning' }),
      firing({ severity: 'info' }),
    ]);
    assert.deepEqual(
      entries.map(({ state, alert }) => (state === 'firing' ? alert.severity : state)),
      ['warning', 'info', 'info', 'resolved'],
    );
    assert.equal(level, 'warning');
  });

  it('keeps its subject readable on a phone', () => {
    const { subject } = render(Array.from({ length: 50 }, (_, index) => firing({ title: `web-${index} is down` })));
    assert.match(subject, /^50 alerts: web-0 is down, web-1 is down/);
    assert.ok(subject.length <= 100);
  });

  it('tells where, since when, why, and how often in its text', () => {
    const cause = '5 unexpected exits in 2 min\nError: no database';
    const { text } = render([firing({ cause, service: 'web', instance: 'web-9001-ab12' }, 3), resolved(125_000)]);
    assert.equal(
      text,
      [
        'CRITICAL: web-9001 is down',
        '  5 unexpected exits in 2 min',
        '  Error: no database',
        '  service web, instance web-9001-ab12, since 2026-01-02 12:00:00 UTC (10 s)',
        '  happened 3 times since the last message',
        '',
        'RESOLVED after 2 min 5 s: web-9001 is down',
        '  from 2026-01-02 12:00:00 UTC to 2026-01-02 12:02:05 UTC',
      ].join('\n'),
    );
  });

  // An app writes "\r\nBcc: everybody@example.org" or terminal escapes into its log, which becomes the cause of an alert.
  // The first must not end a header line, the second not reach a terminal.
  it('lets no line end into the subject, and no control character anywhere', () => {
    const hostile = 'down\r\nBcc: everybody@example.org\u2028x\u001b[31mred\u0007\u0000';
    const { subject, text } = render([firing({ title: hostile, cause: `a${hostile}`, service: hostile })]);
    assert.equal(subject, 'down Bcc: everybody@example.org xred (adown)');
    assert.doesNotMatch(text, /(?!\n)\p{Cc}|\u2028/u);
    assert.match(text, /^CRITICAL: down Bcc: everybody@example.org xred$/m);
  });

  it('of a test says that it is one', () => {
    const { subject, text } = renderTest(START, 'id');
    assert.equal(subject, 'Test alert from heimdall (This channel works. Nothing is wrong.)');
    assert.match(text, /^INFO: Test alert from heimdall$/m);
  });
});

describe('a duration', () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5, '0 s'],
    [0, '0 s'],
    [849, '0.8 s'],
    [9_940, '9.9 s'],
    [9_960, '10 s'],
    [60_000, '1 min'],
    [125_400, '2 min 5 s'],
    [3_600_000, '1 h'],
    [11_045_000, '3 h 4 min'],
    [86_400_000 + 59_000, '1 d'],
    [90_000_000, '1 d 1 h'],
  ];
  for (const [milliseconds, text] of cases) {
    it(`of ${milliseconds} ms reads ${text}`, () => assert.equal(formatDuration(milliseconds), text));
  }
});

describe('a clipped text', () => {
  it('is left alone when it fits, and ends with an ellipsis when not', () => {
    assert.equal(clip('four', 4), 'four');
    assert.equal(clip('fives', 4), 'fiv…');
  });

  it('is never cut through a character', () => {
    assert.equal(clip('ab😀cd', 4), 'ab…');
  });
});
