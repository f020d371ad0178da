import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Alert, NotificationEntry } from '../../../pkg/alerts/alert.ts';
import { renderNotification, renderTest } from '../../../pkg/alerts/render.ts';
import { alertAt, START } from './support.ts';

function firing(changes: Partial<Alert> = {}, occurrences = 1): NotificationEntry {
  return { alert: alertAt(START, changes), state: 'firing', resolvedAt: null, occurrences };
}

function resolved(afterMs: number, changes: Partial<Alert> = {}): NotificationEntry {
  return { alert: alertAt(START, changes), state: 'resolved', resolvedAt: START + afterMs, occurrences: 1 };
}

const render = (entries: NotificationEntry[], at = START + 10_000, active: Alert[] = []) =>
  renderNotification(entries, at, 'id', active);

/** What is said of an instance of `web`, which has five. */
const instance = (name: string, changes: Partial<Alert> = {}): Partial<Alert> => ({
  key: `instance-down:web/${name}`,
  severity: 'warning',
  title: `${name} is down`,
  cause: 'connect ECONNREFUSED',
  service: 'web',
  instance: name,
  outOf: 5,
  ...changes,
});

describe('a notification', () => {
  it('names the trouble and its cause in the subject', () => {
    const { subject, level } = render([firing({ cause: 'connect ECONNREFUSED 127.0.0.1:9001' })]);
    assert.equal(subject, 'web-9001 is down (connect ECONNREFUSED 127.0.0.1:9001)');
    assert.equal(level, 'critical');
  });

  it('names the node, in the subject and below, once', () => {
    const shortage = render([firing({ title: 'no port is free for web', node: 'b' })]);
    assert.equal(shortage.subject, 'no port is free for web on node b');
    assert.match(shortage.text, /^CRITICAL: no port is free for web\n {2}node b, since /);
    assert.equal(render([firing({ title: 'node b is away', node: 'b' })]).subject, 'node b is away');
    const down = ['a', 'b'].map((name) => firing(instance(name, { node: 'b' })));
    assert.match(render(down).subject, /^2 of 5 instances of web are down on node b since /);
    const elsewhere = [...down, firing(instance('c', { node: 'c' }))];
    assert.match(render(elsewhere).subject, /^3 of 5 instances of web are down since /);
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

describe('a notification of several instances of one service', () => {
  it('says in one sentence how many are down, since when, and the most frequent cause', () => {
    const { subject, text, entries } = render([
      firing(instance('a', { at: START + 60_000 })),
      firing(instance('b', { cause: 'status 503\nfor a minute' })),
      firing(instance('c')),
    ]);
    assert.equal(subject, '3 of 5 instances of web are down since 12:00 UTC: connect ECONNREFUSED');
    assert.match(
      text,
      /^WARNING: 3 of 5 instances of web are down since 12:00 UTC: connect ECONNREFUSED\n {2}WARNING: a is/,
    );
    assert.match(text, /\n {4}status 503\n/);
    assert.equal(entries.length, 3);
  });

  it('counts those that people have been told of before', () => {
    const before = alertAt(START - 120_000, instance('a'));
    const other = alertAt(START, { service: 'web', key: 'crash-loop:a' });
    const { subject } = render([firing(instance('b'))], START, [before, other, alertAt(START, instance('b'))]);
    assert.equal(subject, '2 of 5 instances of web are down since 11:58 UTC: connect ECONNREFUSED');
  });

  it('says that the service is whole again, and after what time', () => {
    const { subject, text, level } = render([resolved(200_000, instance('a')), resolved(240_000, instance('b'))]);
    assert.equal(subject, 'web is whole again after 4 min');
    assert.match(text, /^RESOLVED: web is whole again after 4 min\n {2}RESOLVED after 3 min 20 s: a is down/);
    assert.equal(level, 'resolved');
  });

  it('says who is up again and who is not', () => {
    const back = [resolved(1_000, instance('a')), resolved(1_000, instance('b'))];
    const { subject } = render(back, START, [alertAt(START, instance('c'))]);
    assert.equal(subject, '2 instances of web are up again, 1 of 5 still down since 12:00 UTC: connect ECONNREFUSED');
    assert.match(render([...back, firing(instance('c'))]).subject, /^1 of 5 instances of web is down since/);
  });

  it('stands beside other trouble, and services are not mixed', () => {
    const { subject } = render([
      firing({ title: 'web has no healthy instance', cause: undefined }),
      firing(instance('a', { outOf: 2 })),
      firing(instance('b', { outOf: 2 })),
      firing(instance('x', { service: 'api' })),
    ]);
    const expected = '3 alerts: web has no healthy instance, 2 of 2 instances of web are down since 12:00 UTC';
    assert.ok(subject.startsWith(expected), subject);
  });

  it('is about one instance when only one is down', () => {
    assert.equal(render([firing(instance('a'))]).subject, 'a is down (connect ECONNREFUSED)');
    const active = [alertAt(START, instance('b'))];
    assert.equal(render([resolved(1_000, instance('a'))], START, active).subject, 'Resolved after 1 s: a is down');
  });
});
