import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { calibrate } from '../../../internal/simulation/calibration.ts';
import { LogReader } from '../../../internal/simulation/recording.ts';
import { Replay, REPLAYABLE } from '../../../internal/simulation/replay.ts';
import type { Scenario } from '../../../internal/simulation/scenario.ts';
import { SCENARIOS } from '../../../internal/simulation/scenarios.ts';
import { type Performance, simulateScenario } from '../../../internal/simulation/simulate-scenario.ts';
import type { AttemptRecord } from '../../../internal/proxy/engine.ts';
import { attemptOf, lineOf, recordOf } from '../../support/request-record.ts';
import { recordedInTurn } from './recorded.ts';

function scenario(name: string): Scenario {
  return SCENARIOS.find((one) => one.name === name) ?? assert.fail();
}

function replayOf(lines: readonly string[]): Replay {
  const reader = new LogReader(null);
  for (const line of lines) reader.add(line);
  return new Replay(reader.recording('web') ?? assert.fail());
}

/** @param end - epoch milliseconds. */
function line(end: number, upstream: string, changes: Partial<AttemptRecord> = {}): string {
  const attempts = [attemptOf({ upstream, headMs: 5, totalMs: 5, ...changes })];
  return lineOf(recordOf({ at: end - 5, algorithm: undefined, target: '/', attempts, totalMs: 5 }));
}

describe('a log of round robin over one slow backend', () => {
  let replay: Replay;
  let truth: Performance;

  before(() => {
    replay = replayOf(recordedInTurn(scenario('slow'), 7));
    truth = simulateScenario(scenario('slow'), 'least-time', 1);
  });

  it('is met by its own simulation', () => {
    const { p50, p95, p99, share } = calibrate(replay.recorded(), replay.with('round-robin', 1));
    for (const off of [p50, p95, p99]) assert.ok(Math.abs(off) < 0.1, `${p50} ${p95} ${p99}`);
    assert.ok(share < 0.001, `${share}`);
  });

  it('predicts what least time makes of it', () => {
    const { p50, p95, p99, shares } = replay.with('least-time', 1);
    for (const [predicted, real] of [
      [p50, truth.p50],
      [p95, truth.p95],
      [p99, truth.p99],
    ] as const) {
      assert.ok(Math.abs(predicted / real - 1) < 0.15, `${predicted} ms, in truth ${real} ms`);
    }
    assert.ok((shares['d'] ?? 1) < 0.01, `${shares['d']}`);
  });
});

describe('a replay', () => {
  it('keeps a slow time where it was', () => {
    const replay = replayOf(recordedInTurn(scenario('recovery'), 7));
    const { p99, shares } = replay.with('least-time', 1);
    const { p99: truth } = simulateScenario(scenario('recovery'), 'least-time', 1);
    assert.ok(Math.abs(p99 / truth - 1) < 0.25, `${p99} ms, in truth ${truth} ms`);
    assert.ok((shares['d'] ?? 0) > 0.05 && (shares['d'] ?? 1) < 0.24, `${shares['d']}`);
  });

  it('lets upstreams come and go as they did', () => {
    const lines = Array.from({ length: 400 }, (_, n) => line(1_000 + n * 10, n >= 200 && n % 2 === 0 ? 'b' : 'a'));
    const { shares } = replayOf(lines).with('least-connections', 1);
    assert.ok(Math.abs((shares['b'] ?? 0) - 0.25) < 0.02, `${shares['b']}`);
  });

  for (const algorithm of REPLAYABLE) {
    it(`sends every request once where nothing fails, by ${algorithm}`, () => {
      const lines = Array.from({ length: 90 }, (_, n) => line(1_000 + n * 10, 'abc'.charAt(n % 3), { headMs: 5 }));
      const { requests, failed, shares } = replayOf(lines).with(algorithm, 1);
      assert.deepEqual([requests, failed], [90, 0]);
      const sum = Object.values(shares).reduce((all, share) => all + share, 0);
      assert.ok(Math.abs(sum - 1) < 1e-9, `${sum}`);
    });
  }

  it('needs no more than one line', () => {
    const { requests, failed, shares } = replayOf([line(1_000, 'a')]).with('least-time', 1);
    assert.deepEqual([requests, failed, shares], [1, 0, { a: 1 }]);
  });

  it('keeps the weights that were in force', () => {
    const lines = Array.from({ length: 400 }, (_, n) =>
      n % 4 === 3 ? line(1_000 + n * 10, 'b') : line(1_000 + n * 10, 'a', { weight: 3 }),
    );
    const { shares } = replayOf(lines).with('random-two-choices', 1);
    assert.ok(Math.abs((shares['b'] ?? 0) - 0.25) < 0.06, `${shares['b']}`);
    assert.equal(replayOf(lines).with('round-robin', 1).shares['b'], 0.25);
  });

  it('repeats what failed elsewhere', () => {
    const refused = { outcome: 'connect-failed: ECONNREFUSED', headMs: null };
    const lines = Array.from({ length: 100 }, (_, n) => line(1_000 + n * 10, n % 2 ? 'a' : 'b', n % 2 ? {} : refused));
    const replay = replayOf(lines);
    assert.equal(replay.recorded().failed, 0.5);
    assert.equal(replay.with('round-robin', 1).failed, 0);
  });
});
