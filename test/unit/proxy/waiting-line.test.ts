import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { SharedState } from '../../../internal/proxy/shared-state.ts';
import { WaitingLine } from '../../../internal/proxy/waiting-line.ts';
import { settle } from '../../support/manual-clock.ts';
import { eventually } from '../../support/proxy-raw.ts';

const SIZE = { upstreams: 1, pools: 2, threads: 2 };
const POOL = 1;
const LONG = 20_000;

/** Room for requests, and the lines of two threads that wait for it. */
class Room {
  readonly main = SharedState.create(SIZE);
  readonly states: readonly [SharedState, SharedState];
  readonly lines: readonly [WaitingLine, WaitingLine];
  now = 0;
  /** How many more there is room for; who is choosy takes what is in `others` alone. */
  free = 0;
  others = 0;
  readonly served: string[] = [];
  readonly expired: string[] = [];

  constructor() {
    const attach = (thread: number) => SharedState.attach(this.main.buffer, SIZE, thread);
    this.states = [attach(1), attach(2)];
    this.lines = [
      new WaitingLine(this.states[0], POOL, () => this.now),
      new WaitingLine(this.states[1], POOL, () => this.now),
    ];
  }

  /** One more waits, since later than all before. */
  add(name: string, options: { thread?: 0 | 1; isChoosy?: boolean; timeout?: number; signals?: number } = {}) {
    const { thread = 0, isChoosy = false, timeout = LONG, signals = this.main.signals(POOL) } = options;
    this.now += 1;
    const take = () => {
      if (isChoosy ? this.others === 0 : this.free === 0) return false;
      if (isChoosy) this.others -= 1;
      else this.free -= 1;
      this.served.push(name);
      return true;
    };
    const waiter = { isChoosy, patience: () => timeout, tryTurn: take, expired: () => this.expired.push(name) };
    return this.lines[thread].add(waiter, signals);
  }

  make(free: number, others = 0): void {
    this.free += free;
    this.others += others;
    this.main.signal(POOL);
  }

  async serves(...names: string[]): Promise<void> {
    await eventually(`${names} are served`, () => this.served.length >= names.length);
    assert.deepEqual(this.served, names);
  }
}

/** From now on nobody looks but for a signal: what is not signalled is never seen. */
function onlySignals(t: TestContext, room: Room): void {
  for (const state of room.states) {
    const original = state.nextSignal.bind(state);
    t.mock.method(state, 'nextSignal', (pool: number, seen: number) => original(pool, seen, Number.POSITIVE_INFINITY));
  }
}

describe('a waiting line', () => {
  it('serves in the order of arrival, as many as there is room for', async (t) => {
    const room = new Room();
    onlySignals(t, room);
    for (const name of ['a', 'b', 'c']) room.add(name);
    assert.equal(room.main.waiting(POOL), 3);
    room.make(2);
    await room.serves('a', 'b');
    assert.equal(room.main.waiting(POOL), 1);
    room.make(1);
    await room.serves('a', 'b', 'c');
    assert.equal(room.main.waiting(POOL), 0);
  });

  it('is one line for all threads', async (t) => {
    const room = new Room();
    onlySignals(t, room);
    for (const [name, thread] of [
      ['a', 1],
      ['b', 0],
      ['c', 0],
      ['d', 1],
    ] as const)
      room.add(name, { thread });
    for (let n = 1; n <= 4; n += 1) {
      room.make(1);
      await room.serves(...['a', 'b', 'c', 'd'].slice(0, n));
    }
  });

  it('lets the next one go when the first leaves, in whichever thread that waits', async (t) => {
    const room = new Room();
    onlySignals(t, room);
    const first = room.add('a', { thread: 1 });
    room.add('b');
    room.free = 1; // the signal came, and the thread of the first has not looked yet
    first.cancel();
    await room.serves('b');
    first.cancel();
    assert.equal(room.main.waiting(POOL), 0);
  });

  it('misses no room that is made between the look at the upstreams and the wait', async (t) => {
    const room = new Room();
    onlySignals(t, room);
    const before = room.main.signals(POOL);
    room.make(1);
    room.add('a', { signals: before });
    await room.serves('a');
    const late = room.add('b');
    const again = room.main.signals(POOL);
    await settle(); // the line watches already
    room.main.takeOff(1); // as if nobody waited, so that nobody is woken
    room.make(2);
    room.add('c', { signals: again });
    await room.serves('a', 'b', 'c');
    late.cancel();
  });

  // A thread that crashes between the release and the signal.
  it('looks without a signal, too', async () => {
    const room = new Room();
    room.add('a');
    await settle();
    room.free = 1;
    await room.serves('a');
  });

  it('goes on without the waiters of a thread that is gone', async (t) => {
    const room = new Room();
    onlySignals(t, room);
    room.states[1].setWaiting(POOL, 1, 0);
    room.add('a');
    room.free = 1;
    room.main.takeOff(2);
    await room.serves('a');
    assert.equal(room.main.waiting(POOL), 0);
  });

  it('lets nobody wait for a choosy one, which overtakes nobody itself', async (t) => {
    const room = new Room();
    onlySignals(t, room);
    room.add('retry', { isChoosy: true });
    assert.equal(room.main.oldestWaiting(POOL), Number.POSITIVE_INFINITY);
    room.add('a');
    room.add('late retry', { isChoosy: true });
    room.make(1);
    await room.serves('a');
    room.add('b');
    room.add('later retry', { isChoosy: true });
    room.make(0, 3);
    await room.serves('a', 'retry', 'late retry');
    assert.equal(room.main.waiting(POOL), 2);
    room.make(1);
    await room.serves('a', 'retry', 'late retry', 'b', 'later retry');
  });

  it('tells everyone who has waited long enough, and then the next', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const room = new Room();
    const pass = (ms: number) => {
      room.now += ms;
      t.mock.timers.tick(ms);
    };
    room.add('a', { timeout: 100 });
    room.add('b', { timeout: 100 });
    pass(50);
    const leaver = room.add('c', { timeout: 100 });
    room.add('d', { timeout: 100 });
    assert.deepEqual(room.expired, []);
    pass(50);
    assert.deepEqual(room.expired, ['a', 'b']);
    leaver.cancel();
    pass(60);
    assert.deepEqual(room.expired, ['a', 'b', 'd']);
    assert.equal(room.main.waiting(POOL), 0);
  });

  // This thread was busy for longer than they may wait, and meanwhile there was room.
  it('sends nobody away whose turn has come', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const room = new Room();
    room.add('a', { timeout: 100 });
    room.add('b', { timeout: 100 });
    room.free = 1;
    room.now += 200;
    t.mock.timers.tick(200);
    assert.deepEqual([room.served, room.expired], [['a'], ['b']]);
  });

  it('lets nobody wait for longer when patience becomes shorter', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const room = new Room();
    let timeout = 10_000;
    const waiter = {
      isChoosy: false,
      patience: () => timeout,
      tryTurn: () => false,
      expired: () => room.expired.push('a'),
    };
    room.lines[0].add(waiter, room.main.signals(POOL));
    await settle();
    timeout = 50;
    room.now += 60;
    room.main.signal(POOL);
    await eventually('it is told', () => room.expired.length === 1);
  });

  it('takes over another time limit while it is in use', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const room = new Room();
    const pass = (ms: number) => {
      room.now += ms;
      t.mock.timers.tick(ms);
    };
    room.add('a', { timeout: 100 });
    room.add('b', { timeout: 10_000 });
    pass(200);
    assert.deepEqual(room.expired, ['a']);
    room.add('c', { timeout: 100 });
    pass(10_000);
    assert.deepEqual(room.expired, ['a', 'b', 'c']);
  });
});
