import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AutoscaleSchema } from '../../../internal/model/rollout.ts';
import { ScaleDecider } from '../../../internal/server/scale-decision.ts';

const SETTINGS = AutoscaleSchema.parse({ min: 2, max: 10, inFlightPerInstance: 10 });

/** Seconds of one load after the other, and what is decided when; the decisions are carried out at once. */
function run(
  decider: ScaleDecider,
  from: number,
  seconds: number,
  inFlight: number,
  start: number,
  settings = SETTINGS,
  scheduled: number | null = null,
  isPartial = false,
) {
  const changes: [second: number, instances: number][] = [];
  let present = start;
  for (let second = from; second < from + seconds; second += 1) {
    const decision = decider.decide(
      { at: second * 1_000, inFlight, isPartial, cpu: null },
      present,
      scheduled,
      settings,
    );
    if (decision === null) continue;
    present = decision.instances;
    changes.push([second, present]);
  }
  return { present, changes };
}

describe('the number of instances that a load asks for', () => {
  it('is what the load needs, as soon as it has lasted for scaleUpAfter', () => {
    const { changes } = run(new ScaleDecider(), 0, 30, 55, 2);
    assert.deepEqual(changes, [[3, 6]]);
  });

  it('is not less than there are where a front counts no requests, but may be more', () => {
    assert.equal(run(new ScaleDecider(), 0, 1_000, 0, 8, SETTINGS, null, true).present, 8);
    assert.equal(run(new ScaleDecider(), 0, 30, 95, 8, SETTINGS, null, true).present, 10);
  });

  it('is never above the most, nor below the least', () => {
    assert.equal(run(new ScaleDecider(), 0, 30, 1_000, 2).present, 10);
    assert.equal(run(new ScaleDecider(), 0, 1_000, 0, 8).present, 2);
    assert.deepEqual(run(new ScaleDecider(), 0, 1, 0, 0).changes, [[0, 2]]);
    assert.deepEqual(run(new ScaleDecider(), 0, 1, 500, 12).changes, [[0, 10]]);
  });

  it('shrinks only to the most that was needed within scaleDownAfter', () => {
    const decider = new ScaleDecider();
    assert.equal(run(decider, 0, 400, 80, 8).present, 8);
    const quiet = run(decider, 400, 1, 30, 8);
    assert.equal(quiet.present, 8);
    assert.deepEqual(run(decider, 401, 298, 30, 8).changes, []);
    assert.deepEqual(run(decider, 699, 60, 30, 8).changes, [
      [699, 7],
      [714, 3],
    ]);
  });

  it('does not follow a peak that is over before scaleUpAfter', () => {
    const decider = new ScaleDecider();
    run(decider, 0, 10, 18, 2);
    assert.deepEqual(run(decider, 10, 1, 25, 2).changes, []);
    assert.deepEqual(run(decider, 11, 10, 18, 2).changes, []);
  });

  it('waits for the cooldown between two changes', () => {
    const decider = new ScaleDecider();
    assert.deepEqual(run(decider, 0, 4, 35, 2).changes, [[3, 4]]);
    assert.deepEqual(run(decider, 4, 30, 75, 4).changes, [[18, 8]]);
  });

  it('stays as it is within a tenth of the goal', () => {
    assert.deepEqual(run(new ScaleDecider(), 0, 30, 43, 4).changes, []);
    assert.deepEqual(run(new ScaleDecider(), 0, 30, 45, 4).changes, [[3, 5]]);
  });

  it('is that of the metric that needs more', () => {
    const decider = new ScaleDecider();
    const settings = { ...SETTINGS, cpu: 50 };
    const at = (second: number) => ({ at: second * 1_000, inFlight: 25, isPartial: false, cpu: 260 });
    for (let second = 0; second < 3; second += 1) assert.equal(decider.decide(at(second), 2, null, settings), null);
    assert.deepEqual(decider.decide(at(3), 2, null, settings), {
      instances: 6,
      reason: '260 % of a core in use, 50 % for each instance',
    });
  });

  it('is at least what the calendar asks for', () => {
    assert.deepEqual(run(new ScaleDecider(), 0, 400, 0, 2, SETTINGS, 6).changes, [[0, 6]]);
    assert.equal(run(new ScaleDecider(), 0, 30, 85, 6, SETTINGS, 6).present, 9);
  });
});
