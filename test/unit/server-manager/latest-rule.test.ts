import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { latestRule } from '../../../cmd/server-manager/latest-rule.ts';

const MORNING = { cron: '0 9 * * 1-5', instances: 6 };
const EVENING = { cron: '0 18 * * 1-5', instances: 2 };

describe('the rule of the calendar that is in force', () => {
  it('is the one whose time came last, also over a weekend', () => {
    const rules = [MORNING, EVENING];
    assert.equal(latestRule(rules, new Date(2026, 10, 20, 12, 30, 15)), MORNING); // a Friday
    assert.equal(latestRule(rules, new Date(2026, 10, 20, 9, 0, 0)), MORNING);
    assert.equal(latestRule(rules, new Date(2026, 10, 20, 8, 59, 59)), EVENING);
    assert.equal(latestRule(rules, new Date(2026, 10, 22, 12, 0)), EVENING);
  });

  it('is the last of those that came at the same time', () => {
    assert.equal(latestRule([MORNING, { ...MORNING, instances: 7 }], new Date(2026, 10, 20, 12, 0))?.instances, 7);
  });

  it('is found at once, although nothing else can be done meanwhile', () => {
    const yearly = ['0 0 1 1 *', '0 12 29 2 *', '30 6 2 2 *'].map((cron) => ({ cron, instances: 1 }));
    const before = performance.now();
    assert.equal(latestRule(yearly, new Date(2026, 10, 20)), null);
    assert.ok(performance.now() - before < 1_000);
  });

  it('is found across a change of the clocks, and by lists, ranges and steps', () => {
    const at = (cron: string, now: Date) =>
      latestRule(
        [
          { cron: '0 0 1 3 *', instances: 1 },
          { cron, instances: 2 },
        ],
        now,
      );
    assert.equal(at('30 2 29 3 *', new Date(2026, 2, 29, 12, 0))?.instances, 2);
    assert.equal(at('*/20 8,20 1-7 * *', new Date(2026, 2, 20))?.instances, 2);
    assert.equal(at('0 0 31 1 *', new Date(2026, 2, 2, 0, 0))?.instances, 1);
  });

  it('is none when there are none, or none came within a month', () => {
    assert.equal(latestRule([], new Date()), null);
    assert.equal(latestRule([{ cron: '0 0 24 12 *', instances: 1 }], new Date(2026, 10, 20)), null);
  });
});
