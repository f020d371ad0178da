import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isRunning, parseStat } from '../../../internal/server/proc.ts';

const rest = '1 4242 4242 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 11 0 987654 1000000 500';

describe('parseStat', () => {
  it('reads state, group, start time, CPU time and memory', () => {
    assert.deepEqual(parseStat(`4242 (node) S ${rest}`), {
      state: 'S',
      group: 4242,
      startTime: '987654',
      cpuTicks: 3,
      pages: 500,
    });
  });

  it('is not misled by a program name with spaces and parentheses', () => {
    assert.deepEqual(parseStat(`7 (a) Z 1 (b) c) R ${rest}`), {
      state: 'R',
      group: 4242,
      startTime: '987654',
      cpuTicks: 3,
      pages: 500,
    });
  });

  it('gives null for what is no such line', () => {
    assert.equal(parseStat(''), null);
    assert.equal(parseStat('7 (node) S 1'), null);
  });
});

describe('isRunning', () => {
  it('is false for zombies, dead and missing processes', () => {
    const stat = { group: 1, startTime: '1', cpuTicks: 0, pages: 0 };
    assert.equal(isRunning({ ...stat, state: 'S' }), true);
    assert.equal(isRunning({ ...stat, state: 'Z' }), false);
    assert.equal(isRunning({ ...stat, state: 'X' }), false);
    assert.equal(isRunning(null), false);
  });
});
