import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { below, randomFrom } from '../../chaos/random.ts';
import { excuseFor, type Failure, type Incident } from '../../chaos/verdict.ts';

const FAILURE: Failure = { kind: 'GET', isIdempotent: true, phase: 'head', cause: 'ECONNRESET', from: 100, to: 200 };

function incident(excuses: Incident['excuses'], from: number, to: number): Incident {
  return { name: 'something', excuses, from, to };
}

describe('a failed visit', () => {
  it('has no excuse without an incident at the same time', () => {
    assert.equal(excuseFor(FAILURE, []), undefined);
    assert.equal(excuseFor(FAILURE, [incident('everything', 201, 300), incident('everything', 0, 99)]), undefined);
    assert.ok(excuseFor(FAILURE, [incident('everything', 150, Number.POSITIVE_INFINITY)]));
  });

  it('has none when an instance was killed, if it could have been repeated', () => {
    const killed = [incident('what cannot be repeated', 150, 160)];
    assert.equal(excuseFor(FAILURE, killed), undefined);
    assert.ok(excuseFor({ ...FAILURE, isIdempotent: false }, killed));
    assert.ok(excuseFor({ ...FAILURE, phase: 'body' }, killed));
    assert.ok(excuseFor({ ...FAILURE, isIdempotent: false, phase: 'websocket' }, killed));
  });

  it('has one when two instances were killed under it, for it is repeated once', () => {
    const struck = { ...FAILURE, cause: 'status 502: 502 Bad Gateway' };
    const [first, second] = [
      incident('what cannot be repeated', 110, 120),
      incident('what cannot be repeated', 150, 160),
    ];
    assert.equal(excuseFor(struck, [first, second]), second);
    assert.equal(excuseFor(struck, [first]), undefined);
    assert.equal(excuseFor(struck, [incident('what cannot be repeated', 50, 120), second]), undefined, 'before it');
    assert.equal(excuseFor({ ...struck, cause: 'status 503' }, [first, second]), undefined);
  });

  it('has none when nothing may be noticed at all', () => {
    assert.equal(excuseFor({ ...FAILURE, isIdempotent: false }, [incident('nothing', 0, 300)]), undefined);
  });
});

describe('the random numbers', () => {
  it('are the same for the same seed', () => {
    const [a, b, c] = [randomFrom(5), randomFrom(5), randomFrom(6)];
    const numbers = (random: () => number) => Array.from({ length: 20 }, () => below(random, 1_000));
    const first = numbers(a);
    assert.deepEqual(numbers(b), first);
    assert.notDeepEqual(numbers(c), first);
    assert.ok(new Set(first).size > 15);
  });
});
