import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { offsetBetween, sharedNow } from '../../../pkg/clock/shared-now.ts';

describe('the clock that threads share', () => {
  it('goes with the clock of the machine', () => {
    const before = Number(process.hrtime.bigint()) / 1e6;
    const now = sharedNow();
    const after = Number(process.hrtime.bigint()) / 1e6;
    assert.ok(now > before - 0.5 && now < after + 0.5, `${before} ${now} ${after}`);
  });

  // A busy machine: others ran between one look and the next, for 7 ms. The order of arrival at several threads was wrong by as much.
  it('is not put off by interruptions while it is set', () => {
    let time = 1_000;
    let looks = 0;
    const tick = () => {
      looks += 1;
      time += looks % 11 === 4 || looks < 20 ? 7 : 0.001;
      return time;
    };
    const offset = offsetBetween(tick, () => tick() - 400);
    assert.ok(Math.abs(offset - 400) < 0.01, String(offset));
  });
});
