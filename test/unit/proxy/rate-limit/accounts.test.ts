import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Accounts } from '../../../../internal/proxy/rate-limit/accounts.ts';
import { ruleOf } from '../../../../internal/proxy/rate-limit/gcra.ts';

const SIZE = { clients: 16, threads: 2 };
/** Two at once, then one in a second. */
const RULE = ruleOf({ requests: 1, per: 1_000, burst: 2, key: 'ip' });

function table(size = SIZE): Accounts {
  return new Accounts(size, 0, new SharedArrayBuffer(Accounts.bytes(size)), 0);
}

/** So many clients of one set, or of the other. */
function clients(count: number, set = 0): { low: number; high: number }[] {
  return Array.from({ length: count }, (_, n) => ({ low: set, high: n + 1 }));
}

describe('the accounts of clients', () => {
  it('are apart, and shared by the threads', () => {
    const buffer = new SharedArrayBuffer(Accounts.bytes(SIZE));
    const [one, two] = [1, 2].map((thread) => new Accounts(SIZE, thread, buffer, 0));
    const [a = { low: 0, high: 0 }, b = a] = clients(2);
    assert.deepEqual(
      [one?.charge(a, 0, RULE), two?.charge(a, 0, RULE), one?.charge(a, 0, RULE)],
      [1_000, 2_000, 3_000],
    );
    assert.equal(two?.charge(a, 0, RULE), 3_000, 'what was refused was counted');
    assert.equal(two?.charge(b, 0, RULE), 1_000);
  });

  it('are told apart by all 64 bits where there is room for many', () => {
    const size = { clients: 16_384, threads: 0 };
    const accounts = table(size);
    for (let bit = 0; bit < 32; bit += 1) {
      assert.equal(accounts.charge({ low: 1 << bit, high: 0 }, 1, RULE), 1_000, `low bit ${bit}`);
      assert.equal(accounts.charge({ low: 0, high: 1 << bit }, 1, RULE), 1_000, `high bit ${bit}`);
    }
  });

  it('take a place for as long as something of the limit is used', () => {
    const accounts = table();
    for (const client of clients(8)) accounts.charge(client, 0, RULE);
    assert.deepEqual([accounts.inUse(999), accounts.inUse(1_000)], [8, 0]);
    for (const client of clients(8).map(({ high }) => ({ low: 2, high: high + 100 }))) {
      assert.equal(accounts.charge(client, 1_000, RULE), 1_000);
    }
    assert.deepEqual([accounts.inUse(1_000), accounts.givenUp], [8, 0]);
  });

  it('give up the one that would be free first, when there is no other place, and count it', () => {
    const accounts = table();
    const [first = { low: 0, high: 0 }, second = first, ...others] = clients(9);
    accounts.charge(second, 0, RULE);
    for (const client of [first, ...others.slice(0, 6)]) accounts.charge(client, 1, RULE);
    assert.equal(accounts.givenUp, 0);
    const [last = first] = others.slice(6);
    assert.equal(accounts.charge(last, 2, RULE), 1_000);
    assert.equal(accounts.givenUp, 1);
    assert.equal(accounts.charge(first, 2, RULE), 1_999, 'the wrong one was given up');
    assert.equal(accounts.charge(second, 2, RULE), 1_000, 'it begins anew');
  });

  it('leave other sets alone', () => {
    const accounts = table();
    for (const client of clients(100)) accounts.charge(client, 0, RULE);
    const [other = { low: 0, high: 0 }] = clients(1, 1);
    accounts.charge(other, 0, RULE);
    for (const client of clients(100)) accounts.charge(client, 0, RULE);
    assert.equal(accounts.charge(other, 0, RULE), 2_000);
  });

  it('are locked while one is charged, until the thread that does so is gone', (t) => {
    const buffer = new SharedArrayBuffer(Accounts.bytes(SIZE));
    const [main = table(), gone = table()] = [0, 1].map((thread) => new Accounts(SIZE, thread, buffer, 0));
    const [one = { low: 0, high: 0 }, two = one, three = one] = clients(3);
    t.mock.method(Atomics, 'wait', () => assert.fail('the lock is held'));
    const chargedMeanwhile = (meanwhile: () => void) => ({
      capacity: RULE.capacity,
      get interval() {
        meanwhile();
        return RULE.interval;
      },
    });
    gone.charge(
      one,
      0,
      chargedMeanwhile(() => assert.throws(() => main.charge(two, 0, RULE), /the lock is held/)),
    );
    let level = Number.NaN;
    gone.charge(
      two,
      0,
      chargedMeanwhile(() => {
        main.takeOff(1);
        level = main.charge(three, 0, RULE);
      }),
    );
    assert.ok(level > 0);
  });
});
