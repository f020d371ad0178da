import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Member, nextStep, type RolloutLimits } from '../../../internal/server/rollout-plan.ts';

const LIMITS: RolloutLimits = { maxSurge: 1, maxUnavailable: 0, goesBack: false };

/** `+a` an available instance of the wanted release, `-a` one of another; `~` warming, `*` starting, `!` broken, `>` leaving. */
function members(...words: string[]): Member[] {
  const conditions = { '~': 'warming', '*': 'starting', '!': 'broken', '>': 'leaving' } as const;
  return words.map((word) => {
    const [, side = '', sign = '', id = ''] = /^([+-])([~*!>]?)(\w+)$/.exec(word) ?? [];
    const condition = sign === '' ? 'available' : conditions[sign as keyof typeof conditions];
    return { id, isWanted: side === '+', condition };
  });
}

describe('the next step of a rollout', () => {
  it('starts as many new instances as may be there on top', () => {
    const old = members('-a', '-b', '-c');
    assert.deepEqual(nextStep(old, 3, LIMITS), { start: 1, retire: [], isDone: false });
    assert.equal(nextStep(old, 3, { ...LIMITS, maxSurge: 5 }).start, 3);
  });

  it('waits until a new one has proved itself before it lets an old one go', () => {
    for (const fresh of ['+*d', '+~d']) {
      const step = nextStep(members('-a', '-b', '-c', fresh), 3, LIMITS);
      assert.deepEqual(step, { start: 0, retire: [], isDone: false });
    }
    assert.deepEqual(nextStep(members('-a', '-b', '-c', '+d'), 3, LIMITS).retire, ['a']);
  });

  it('starts nothing more while one is still leaving: it may have its memory for a while', () => {
    assert.equal(nextStep(members('->a', '-b', '-c', '+d'), 3, LIMITS).start, 0);
    assert.equal(nextStep(members('-b', '-c', '+d'), 3, LIMITS).start, 1);
  });

  it('is over when only enough available new ones are there', () => {
    assert.equal(nextStep(members('+a', '+b'), 2, LIMITS).isDone, true);
    assert.equal(nextStep(members('+a', '+~b'), 2, LIMITS).isDone, false);
    assert.equal(nextStep(members('+a', '+b', '->c'), 2, LIMITS).isDone, false);
    assert.equal(nextStep([], 0, LIMITS).isDone, true);
  });

  it('takes old ones that serve nobody away as soon as a new one serves, and not before', () => {
    assert.deepEqual(nextStep(members('-!a', '-!b', '+*c'), 2, LIMITS).retire, []);
    assert.deepEqual(nextStep(members('-!a', '-!b', '+c'), 2, LIMITS).retire, ['a', 'b']);
  });

  it('makes room for the first new one where the surge is taken by old ones that serve nobody', () => {
    assert.deepEqual(nextStep(members('-!a', '-b'), 1, LIMITS), { start: 0, retire: ['a'], isDone: false });
    assert.deepEqual(nextStep(members('->a', '-b'), 1, LIMITS), { start: 0, retire: [], isDone: false });
    assert.equal(nextStep(members('-b'), 1, LIMITS).start, 1);
    assert.deepEqual(nextStep(members('-!a', '-!b', '-!c'), 2, LIMITS).retire, ['a']);
    assert.deepEqual(nextStep(members('->a', '-!b', '-!c'), 2, LIMITS).retire, []);
    assert.deepEqual(nextStep(members('-!a', '-!b'), 2, LIMITS), { start: 1, retire: [], isDone: false });
  });

  it('lets old ones go first where fewer may be available meanwhile', () => {
    const limits = { ...LIMITS, maxSurge: 0, maxUnavailable: 1 };
    assert.deepEqual(nextStep(members('-a', '-b'), 2, limits), { start: 0, retire: ['a'], isDone: false });
    assert.equal(nextStep(members('-b'), 2, limits).start, 1);
  });

  it('going back takes what is useless away at once, and keeps what serves until there is enough', () => {
    const limits = { ...LIMITS, goesBack: true };
    assert.deepEqual(nextStep(members('+a', '+b', '-*c'), 2, limits).retire, ['c']);
    assert.deepEqual(nextStep(members('+a', '-b', '-!c'), 2, limits).retire, ['c']);
    assert.deepEqual(nextStep(members('+a', '+d', '-b'), 2, limits).retire, ['b']);
    assert.equal(nextStep(members('+a', '+*b'), 2, limits).isDone, false);
    assert.equal(nextStep(members('+a', '+!b'), 2, limits).isDone, true);
  });

  it('never has fewer available than allowed, never more than the surge, and always comes to its end', () => {
    const settings = fc.record({
      old: fc.integer({ min: 0, max: 12 }),
      useless: fc.integer({ min: 0, max: 12 }),
      desired: fc.integer({ min: 0, max: 12 }),
      maxSurge: fc.integer({ min: 0, max: 4 }),
      maxUnavailable: fc.integer({ min: 0, max: 4 }),
      order: fc.infiniteStream(fc.nat(100)),
    });
    fc.assert(
      fc.property(settings, ({ old, useless, desired, maxSurge, maxUnavailable, order }) => {
        fc.pre(maxSurge + maxUnavailable > 0);
        const limits = { maxSurge, maxUnavailable, goesBack: false };
        const present = new Map(
          Array.from({ length: old }, (_, i): [string, Member] => [
            `o${i}`,
            { id: `o${i}`, isWanted: false, condition: i < useless ? 'broken' : 'available' },
          ]),
        );
        const lowest = Math.min(Math.max(0, old - useless), desired - maxUnavailable);
        let made = 0;
        for (let turns = 0; turns < 1_000; turns += 1) {
          const step = nextStep([...present.values()], desired, limits);
          if (step.isDone) {
            assert.equal(
              [...present.values()].every(({ isWanted }) => isWanted),
              true,
            );
            assert.ok(present.size >= desired);
            return;
          }
          for (const id of step.retire) present.set(id, { id, isWanted: false, condition: 'leaving' });
          for (let i = 0; i < step.start; i += 1)
            present.set(`n${made}`, { id: `n${made++}`, isWanted: true, condition: 'starting' });
          assert.ok(present.size <= Math.max(old, desired + maxSurge), 'too many');
          const available = [...present.values()].filter(({ condition }) => condition === 'available').length;
          assert.ok(available >= lowest, `${available} available, ${lowest} needed`);
          // Something that is under way moves on, whatever it is.
          const moving = [...present.values()].filter(({ condition }) => !['available', 'broken'].includes(condition));
          const one = moving[(order.next().value ?? 0) % Math.max(1, moving.length)];
          if (one?.condition === 'leaving') present.delete(one.id);
          else if (one)
            present.set(one.id, { ...one, condition: one.condition === 'starting' ? 'warming' : 'available' });
        }
        assert.fail('it comes to no end');
      }),
    );
  });
});
