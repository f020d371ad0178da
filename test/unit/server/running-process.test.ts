import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeExit } from '../../../internal/server/running-process.ts';

it('an exit is told with its code or signal and the time the process ran', () => {
  assert.equal(describeExit({ code: 1, signal: null, at: 12_400 }, 0), 'exited with code 1 after 12 s');
  assert.equal(describeExit({ code: null, signal: 'SIGKILL', at: 430 }, 0), 'killed by SIGKILL after 0.4 s');
  assert.equal(describeExit({ code: null, signal: null, at: 3_000 }, 0), 'exited after 3 s');
});
