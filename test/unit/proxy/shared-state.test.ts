import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { SharedState } from '../../../internal/proxy/shared-state.ts';
import { SlotAllocator } from '../../../internal/proxy/slot-allocator.ts';

const SIZE = { upstreams: 4, pools: 2, threads: 2 };

/** The same memory as the main thread and two others see it. */
function threads(): [SharedState, SharedState, SharedState] {
  const main = SharedState.create(SIZE);
  return [main, SharedState.attach(main.buffer, SIZE, 1), SharedState.attach(main.buffer, SIZE, 2)];
}

/** From now on, waiting for a lock fails the test. */
function forbidWaiting(t: TestContext): void {
  t.mock.method(Atomics, 'wait', () => assert.fail('the lock is held'));
}

/** Nobody waits any more in truth. @param onWait - is told how often somebody has. */
function hurry(t: TestContext, onWait: (waits: number) => void): void {
  let waits = 0;
  t.mock.method(Atomics, 'wait', () => {
    waits += 1;
    onWait(waits);
    return 'timed-out';
  });
}

describe('the shared state', () => {
  it('shows every thread what another one wrote', () => {
    const [main, one, two] = threads();
    main.weight[3] = 2.5;
    one.current[3] = -7;
    one.turns[1] = 4;
    assert.deepEqual([two.weight[3], two.current[3], main.turns[1]], [2.5, -7, 4]);
  });

  it('keeps its columns apart', () => {
    const state = SharedState.create(SIZE);
    const { weight, current, effective, cost, costAt, picks, ordinals, turns, ties } = state;
    const columns = [weight, current, effective, cost, costAt, picks, ordinals, turns, ties];
    const integers = [state.failures, state.lifecycle, state.health];
    for (const [n, column] of [...columns, ...integers].entries()) column.fill(n + 1);
    for (const [n, column] of [...columns, ...integers].entries()) assert.ok(column.every((value) => value === n + 1));
    assert.deepEqual([state.inFlight(0), state.inFlight(3), state.epoch(0), state.epoch(1)], [0, 0, 0, 0]);
    assert.deepEqual([turns.length, ties.length], [4, 4]);
  });

  it('counts the requests in flight of all threads together', () => {
    const [main, one, two] = threads();
    one.claim(2);
    one.claim(2);
    two.claim(2);
    main.claim(1);
    assert.deepEqual(
      [0, 1, 2, 3].map((slot) => main.inFlight(slot)),
      [0, 1, 3, 0],
    );
    one.release(2);
    assert.equal(two.inFlight(2), 2);
  });

  it('takes off what a thread that is gone had in flight, and nothing of the others', () => {
    const [main, one, two] = threads();
    for (const slot of [0, 1, 1, 3]) one.claim(slot);
    one.release(0);
    two.claim(1);
    main.claim(3);
    main.takeOff(1);
    assert.deepEqual(
      [0, 1, 2, 3].map((slot) => main.inFlight(slot)),
      [0, 1, 0, 1],
    );
    main.takeOff(1); // what comes after it under the same number starts from nothing
    assert.equal(main.inFlight(1), 1);
    SharedState.attach(main.buffer, SIZE, 1).claim(1);
    main.takeOff(1);
    assert.equal(main.inFlight(1), 1);
  });

  it('tells every thread that a pool has changed, and which', () => {
    const [main, one] = threads();
    main.bump(1);
    main.bump(1);
    assert.deepEqual([one.epoch(0), one.epoch(1)], [0, 2]);
  });
});

describe('the lock of a pool', () => {
  it('is free again once it is given back, and another one for every pool', (t) => {
    const [main, one, two] = threads();
    forbidWaiting(t);
    one.lock(0);
    two.lock(1);
    one.unlock(0);
    two.lock(0);
    main.takeOff(1);
    two.unlock(0);
    one.lock(0);
  });

  it('is given back for a thread that is gone, on every pool', (t) => {
    const [main, one, two] = threads();
    forbidWaiting(t);
    one.lock(0);
    one.lock(1);
    main.takeOff(1);
    two.lock(0);
    two.lock(1);
  });

  it('is not given back by another thread that is taken off', (t) => {
    const [main, one, two] = threads();
    two.lock(0);
    main.takeOff(1);
    let waits = 0;
    hurry(t, (count) => {
      waits = count;
      if (waits === 4) two.unlock(0);
    });
    one.lock(0);
    assert.equal(waits, 4, 'two threads had the lock at a time');
  });

  it('is taken from a thread that holds it for ever, which gives back nothing later', (t) => {
    const [main, one, two] = threads();
    one.lock(0);
    let waits = 0;
    hurry(t, (count) => {
      waits = count;
      assert.ok(waits <= 2_000, 'the lock is waited for without end');
    });
    two.lock(0);
    assert.ok(waits >= 900, `taken after ${waits} waits of a millisecond`);
    one.unlock(0);
    t.mock.restoreAll();
    forbidWaiting(t);
    assert.throws(() => main.lock(0), /the lock is held/);
    two.unlock(0);
    main.lock(0);
  });
});

describe('the slots of upstreams and pools', () => {
  it('are different ones, each with a higher ordinal', () => {
    const slots = new SlotAllocator(SharedState.create(SIZE));
    const given = [slots.upstream(), slots.upstream(), slots.upstream()];
    assert.equal(new Set(given).size, 3);
    assert.deepEqual(
      given.map((slot) => slots.state.ordinals[slot]),
      [1, 2, 3],
    );
    assert.notEqual(slots.pool(), slots.pool());
  });

  it('are used again under a new ordinal, with nothing left of the one before', () => {
    const slots = new SlotAllocator(SharedState.create({ ...SIZE, upstreams: 1 }));
    const { state } = slots;
    const slot = slots.upstream();
    for (const column of [state.current, state.effective, state.cost, state.costAt, state.picks]) column[slot] = 9;
    state.failures[slot] = 9;
    slots.retire(slot);
    assert.equal(slots.upstream(), slot);
    assert.deepEqual(
      [state.ordinals[slot], state.current[slot], state.picks[slot], state.failures[slot]],
      [2, 0, 0, 0],
    );
    assert.deepEqual([state.effective[slot], state.cost[slot], state.costAt[slot]], [Number.NaN, Number.NaN, 0]);
  });

  // A request that still runs on the process that is gone would end on the account of its successor.
  it('are not used again while a request of any thread runs there', () => {
    const [main, one] = threads();
    const slots = new SlotAllocator(main);
    const [busy, idle] = [slots.upstream(), slots.upstream()];
    one.claim(busy);
    slots.retire(busy);
    slots.retire(idle);
    assert.equal(slots.upstream(), idle);
    assert.notEqual(slots.upstream(), busy);
    one.release(busy);
    assert.equal(slots.upstream(), busy);
  });

  // A thread that has not heard of the change would take the new upstream's numbers for those of the old one.
  it('are not used again before every thread has heard that they are free', () => {
    const slots = new SlotAllocator(SharedState.create(SIZE));
    let past = -1;
    slots.isPast = (generation) => generation <= past;
    const [slot, pool] = [slots.upstream(), slots.pool()];
    slots.generation = 5;
    slots.retire(slot);
    slots.retirePool(pool);
    past = 4;
    assert.notEqual(slots.upstream(), slot);
    assert.notEqual(slots.pool(), pool);
    past = 5;
    assert.equal(slots.upstream(), slot);
    assert.equal(slots.pool(), pool);
  });

  it('are not used again while requests of any thread wait in the pool', () => {
    const [main, one] = threads();
    const slots = new SlotAllocator(main);
    const pool = slots.pool();
    one.setWaiting(pool, 1, 0);
    slots.retirePool(pool);
    assert.notEqual(slots.pool(), pool);
    one.setWaiting(pool, 0, 0);
    assert.equal(slots.pool(), pool);
  });

  it('end: one more than there is room for is refused, until one is given back', () => {
    const slots = new SlotAllocator(SharedState.create({ upstreams: 2, pools: 1, threads: 0 }));
    const first = slots.upstream();
    slots.upstream();
    const pool = slots.pool();
    for (let n = 0; n < 2; n += 1) {
      assert.throws(() => slots.upstream(), { code: 'CAPACITY_EXCEEDED', message: /room for 2 instances/ });
      assert.throws(() => slots.pool(), { code: 'CAPACITY_EXCEEDED', message: /room for 1 services/ });
    }
    slots.retire(first);
    slots.retirePool(pool);
    assert.deepEqual([slots.upstream(), slots.pool()], [first, pool]);
  });
});
