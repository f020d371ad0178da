import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { chosenOf } from '../../../../cmd/heimdall/top/order.ts';
import { topText } from '../../../../cmd/heimdall/top/top-text.ts';
import { FIRST_VIEW, type Key, pressed, type TopView } from '../../../../cmd/heimdall/top/view.ts';
import { type Paint, plain } from '../../../../cmd/heimdall/terminal/paint.ts';
import { cut } from '../../../../cmd/heimdall/terminal/cut.ts';
import { ago, alertView, liveInstance, liveState, NO_TRAFFIC, serviceView } from '../../../support/views.ts';

const marking: Paint = (_style, text) => `\x1b[31m${text}\x1b[39m`;
const MANY = Array.from({ length: 60 }, (_, index) => liveInstance(9001 + index));

/** The view after these keys, each by its character or its name. */
function after(keys: readonly string[], view: TopView = FIRST_VIEW): TopView {
  let now = view;
  for (const key of keys) {
    const next = pressed(now, keyOf(key), 10, 50);
    assert.ok(typeof next === 'object');
    now = next;
  }
  return now;
}

function keyOf(key: string): Key {
  return key.length === 1 ? { name: key.toLowerCase(), sequence: key } : { name: key, sequence: '\x1b[X' };
}

describe('the keys of heimdall top', () => {
  it('choose the order, and reverse it', () => {
    assert.deepEqual(after(['c']), { ...FIRST_VIEW, sort: 'cpu' });
    assert.deepEqual(after(['c', 'R']), { ...FIRST_VIEW, sort: 'cpu', isReversed: true });
    assert.deepEqual(after(['c', 'R', 'm']), { ...FIRST_VIEW, sort: 'memory' });
  });

  it('type a filter, in which letters are letters, and drop it again', () => {
    assert.deepEqual(after(['/', 'q', 'c', 'x', 'backspace']), { ...FIRST_VIEW, isTyping: true, filter: 'qc' });
    assert.equal(after(['/', 'w', 'return']).filter, 'w');
    assert.deepEqual(after(['/', 'w', 'return', 'escape']), FIRST_VIEW);
    assert.deepEqual(after(['/', 'w', 'escape']), FIRST_VIEW);
  });

  it('scroll between the first and the last page', () => {
    const offsets = [['down'], ['pagedown', 'up'], ['up'], ['end', 'down'], ['end', 'home']].map(
      (keys) => after(keys).offset,
    );
    assert.deepEqual(offsets, [1, 9, 0, 50, 0]);
  });

  it('end and suspend it', () => {
    const ctrl = (name: string) => pressed(FIRST_VIEW, { name, ctrl: true }, 1, 0);
    assert.deepEqual([pressed(FIRST_VIEW, keyOf('q'), 1, 0), ctrl('c'), ctrl('z')], ['quit', 'interrupt', 'suspend']);
    assert.equal(pressed(after(['/']), { name: 'c', ctrl: true }, 1, 0), 'interrupt');
  });
});

describe('the order of heimdall top', () => {
  const [idle, busy, declared] = [
    liveInstance(9001, { cpu: 1, traffic: { ...NO_TRAFFIC, rps: 5, errorRate: 0 } }),
    liveInstance(9002, { cpu: 90, traffic: { ...NO_TRAFFIC, rps: 9, errorRate: 0.5 } }),
    liveInstance(9003, { service: 'db', status: 'error' }),
  ];
  const ports = (view: Partial<TopView>) =>
    chosenOf([idle, busy, declared], { ...FIRST_VIEW, ...view }).map(({ port }) => port);

  it('has the largest first, and those without a figure last', () => {
    assert.deepEqual(ports({ sort: 'cpu' }), [9002, 9001, 9003]);
    assert.deepEqual(ports({ sort: 'errors' }), [9002, 9001, 9003]);
    assert.deepEqual(ports({ sort: 'cpu', isReversed: true }), [9003, 9001, 9002]);
  });

  it('has what the filter finds in names and states', () => {
    assert.deepEqual(
      [ports({ filter: 'ERR' }), ports({ filter: 'db' }), ports({ filter: '9001' })],
      [[9003], [9003], [9001]],
    );
  });
});

describe('the picture of heimdall top', () => {
  const ROOM = { columns: 160, rows: 40, stale: null, paint: plain };

  for (const [columns, rows] of [
    [160, 40],
    [80, 24],
    [40, 10],
    [20, 5],
    [1, 1],
  ] as const) {
    it(`fits into ${columns} columns and ${rows} rows`, () => {
      const alerts = [alertView(), alertView(), alertView(), alertView()];
      const state = liveState(MANY, { alerts });
      const { lines } = topText(state, FIRST_VIEW, { columns, rows, stale: 'no news for 9 s', paint: marking });
      assert.ok(lines.length <= rows, `${lines.length} lines`);
      for (const line of lines) assert.ok(stripVTControlCharacters(line).length <= columns, line);
      if (columns >= 20 && rows >= 10) assert.ok(lines.some((line) => line.includes('web-9001-aaaaaa')));
    });
  }

  it('leaves out what is worth least where there is no room', () => {
    const headOf = (columns: number) =>
      topText(liveState(MANY), FIRST_VIEW, { ...ROOM, columns }).lines.find((line) => line.startsWith('instance')) ??
      '';
    assert.match(headOf(160), /^instance +status +health +req\/s .*since +version$/);
    assert.match(headOf(60), /^instance +status +health +req\/s/);
    assert.doesNotMatch(headOf(60), /since|version|p95/);
  });

  it('shows a page of the instances, and which', () => {
    const { lines, page, last } = topText(liveState(MANY), { ...FIRST_VIEW, offset: 1_000 }, ROOM);
    assert.equal(page + last, 60);
    assert.ok(lines.some((line) => line === `${last + 1} to 60 of 60`));
    assert.ok(lines.some((line) => line.startsWith('web-9060-aaaaaa')));
    assert.ok(!lines.some((line) => line.startsWith('web-9001-aaaaaa')));
  });

  it('says what is wrong at the top', () => {
    const state = liveState([], { revision: null, loadBalancers: [], alerts: [alertView()] });
    const { lines } = topText(state, FIRST_VIEW, { ...ROOM, stale: 'no news for 9 s' });
    assert.match(lines[0] ?? '', /✖ no load balancer {2}✖ 1 alert {2}✖ the registry cannot be read {3}no news for 9 s/);
    assert.ok(lines.includes('✖ warning for 1m30s: web-9001-aaaaaa is down'));
  });

  it('counts down while an instance drains', () => {
    const drain = { since: ago(10), until: ago(-20), inFlight: 3 };
    const { lines } = topText(liveState([liveInstance(9001, { status: 'draining', drain })]), FIRST_VIEW, ROOM);
    assert.ok(lines.some((line) => line.includes('◐ draining 3 left, 20s')));
  });

  it('has figures of traffic, and marks what they are ordered by', () => {
    const traffic = { rps: 123.4, errorRate: 0.0125, p50: 1.5, p95: 20, p99: 300, inFlight: 4 };
    const { lines } = topText(liveState([liveInstance(9001, { traffic })]), { ...FIRST_VIEW, sort: 'p99' }, ROOM);
    assert.ok(lines.some((line) => /^instance .* p50 +p95 +p99↓/.test(line)));
    assert.ok(lines.some((line) => /^web-9001-aaaaaa .* 123 +1\.25 +1\.5 +20 +300 +4 /.test(line)));
  });

  it('tells how many services have no room', () => {
    const services = Array.from({ length: 30 }, (_, n) => ({
      ...serviceView(`s${n}`),
      waiting: 0,
      traffic: NO_TRAFFIC,
    }));
    const { lines } = topText(liveState([], { services }), FIRST_VIEW, ROOM);
    assert.ok(lines.includes('and 19 more services'));
  });
});

describe('a line that is too long', () => {
  it('is cut where the terminal ends, and its colours with it', () => {
    assert.equal(cut('abcdef', 4), 'abc…');
    assert.equal(cut('\x1b[31mabcdef\x1b[39m', 4), '\x1b[31mabc\x1b[39m…');
    assert.equal(cut('\x1b[31mabcd\x1b[39m', 4), '\x1b[31mabcd\x1b[39m');
  });
});
