import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Algorithm } from '../../../internal/model/algorithms.ts';
import { fairShare, type Scenario } from '../../../internal/simulation/scenario.ts';
import { SCENARIOS } from '../../../internal/simulation/scenarios.ts';
import { type Performance, simulateScenario } from '../../../internal/simulation/simulate-scenario.ts';

const SEEDS = [1, 2, 3];
const OTHERS: readonly Algorithm[] = ['round-robin', 'least-connections', 'random-two-choices'];

function scenario(name: string): Scenario {
  return SCENARIOS.find((one) => one.name === name) ?? assert.fail(`no scenario ${name}`);
}

const leastTime = new Map<string, Performance>();

/** Each is used by several tests. */
function byLeastTime(name: string, seed: number): Performance {
  const key = `${name} ${seed}`;
  const found = leastTime.get(key) ?? simulateScenario(scenario(name), 'least-time', seed);
  leastTime.set(key, found);
  return found;
}

describe('least time', () => {
  for (const { name, title } of SCENARIOS.filter((one) => one.name !== 'calm')) {
    it(`has the best p99 where ${title}`, () => {
      for (const seed of SEEDS) {
        const { p99 } = byLeastTime(name, seed);
        for (const algorithm of OTHERS) {
          const other = simulateScenario(scenario(name), algorithm, seed);
          assert.ok(p99 < other.p99, `seed ${seed}: ${p99} ms, ${algorithm} ${other.p99} ms`);
        }
      }
    });
  }

  it('costs little where nothing is wrong', () => {
    for (const seed of SEEDS) {
      const others = OTHERS.map((algorithm) => simulateScenario(scenario('calm'), algorithm, seed).p99);
      const { p99 } = byLeastTime('calm', seed);
      assert.ok(p99 < 1.1 * Math.min(...others), `seed ${seed}: ${p99} ms, others ${others.join(', ')} ms`);
    }
  });

  it('never sends more than its fair share to a newcomer', () => {
    for (const seed of SEEDS) {
      const { greatest } = byLeastTime('newcomer', seed).watched;
      assert.ok(greatest <= fairShare(scenario('newcomer'), 'd'), `seed ${seed}: ${greatest}`);
      assert.ok(greatest > 0, 'it gets nothing at all');
    }
  });

  it('never herds on a backend that fails fast', () => {
    for (const seed of SEEDS) {
      const { share, greatest } = byLeastTime('fast-failures', seed).watched;
      assert.ok(share < 0.005 && greatest < 0.05, `seed ${seed}: ${share}, at most ${greatest}`);
    }
    const { share } = simulateScenario(scenario('fast-failures'), 'least-connections', 1).watched;
    assert.ok(share > 0.25, `the scenario attracts nobody: least connections sends ${share}`);
  });

  it('gives a backend that has recovered its traffic back', () => {
    for (const seed of SEEDS) {
      const { backAfter, share } = byLeastTime('recovery', seed).watched;
      assert.ok(backAfter !== null && backAfter <= 10, `seed ${seed}: after ${backAfter} s`);
      assert.ok(share > 0.1, `seed ${seed}: ${share}`);
    }
  });
});

describe('a simulation', () => {
  it('is the same for the same seed, and another one for another', () => {
    const [first, again, other] = [1, 1, 2].map((seed) =>
      simulateScenario(scenario('stalls'), 'random-two-choices', seed),
    );
    assert.deepEqual(first, again);
    assert.notDeepEqual(first, other);
  });

  it('brings a newcomer in with a slow start', () => {
    const { from } = scenario('newcomer').watch.span;
    const early = { ...scenario('newcomer').watch, span: { from, to: from + 1_000 } };
    const { watched } = simulateScenario({ ...scenario('newcomer'), watch: early }, 'round-robin', 1);
    assert.ok(watched.share > 0.01 && watched.share < 0.06, `${watched.share} of the first second`);
  });
});
