import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bench } from '../../bench/bench.ts';
import type { BenchmarkCase, Sample } from '../../bench/cases/case.ts';
import { FreePorts } from '../../bench/free-ports.ts';
import { planCores } from '../../bench/core-plan.ts';
import { runCase } from '../../bench/run-case.ts';
import { Workshop } from '../../bench/workshop.ts';

const PACE = { rounds: 3, warmUpSeconds: 1, windowSeconds: 1, recoverySeconds: 1 };

type Measure = (turn: number) => Promise<Sample>;

function benchOf(workshop: Workshop): Bench {
  return { workshop, ports: new FreePorts(), plan: planCores(1), pace: PACE, candidates: [] };
}

/** A case whose subjects do what they are told; null: cannot start. */
function caseOf(subjects: Readonly<Record<string, Measure | null>>): BenchmarkCase {
  return {
    name: 'fake',
    title: 'a fake',
    columns: [{ metric: 'cpuUs', title: 'CPU', digits: 1 }],
    ratio: { metric: 'cpuUs', title: 'CPU × a' },
    subjects: async ({ workshop }) =>
      Object.entries(subjects).map(([name, measure]) => ({
        name,
        baseline: 'a',
        start: async () => {
          if (measure === null) throw new Error(`${workshop.folder}/x.cfg is wrong`);
          let turn = 0;
          return () => measure((turn += 1));
        },
      })),
  };
}

async function run(which: BenchmarkCase, signal = new AbortController().signal) {
  await using workshop = await Workshop.open(signal);
  return await runCase(benchOf(workshop), which, () => {});
}

describe('the run of a case', () => {
  it('measures its subjects in turns, and takes the median of each', async () => {
    const order: string[] = [];
    const subject = (name: string, values: readonly number[]): Measure => {
      return async (turn) => {
        order.push(name);
        return { cpuUs: values[turn - 1] ?? 0 };
      };
    };
    const { rows } = await run(caseOf({ a: subject('a', [30, 10, 20]), b: subject('b', [1, 2, 3]) }));
    assert.deepEqual(order, ['a', 'b', 'a', 'b', 'a', 'b']);
    assert.deepEqual(
      rows.map(({ median }) => median),
      [{ cpuUs: 20 }, { cpuUs: 2 }],
    );
  });

  it('gives several turns for each round to a case that wants them', async () => {
    const { rows } = await run({ ...caseOf({ a: async (turn) => ({ cpuUs: turn }) }), turns: 2 });
    assert.equal(rows[0]?.samples.length, 6);
  });

  it('goes on without a subject that cannot start, and tells why, without the temporary folder', async () => {
    const { rows } = await run(caseOf({ a: async () => ({ cpuUs: 1 }), b: null }));
    assert.deepEqual(rows[0]?.median, { cpuUs: 1 });
    assert.equal(rows[1]?.median, null);
    assert.deepEqual(rows[1]?.problems, ['could not start: x.cfg is wrong']);
  });

  it('does not count a turn that failed, and tells of it', async () => {
    const measure: Measure = async (turn) => {
      if (turn === 2) throw new Error('failed requests: 3 timeout');
      return { cpuUs: turn };
    };
    const { rows } = await run(caseOf({ a: measure }));
    assert.deepEqual(rows[0]?.samples, [{ cpuUs: 1 }, { cpuUs: 3 }]);
    assert.deepEqual(rows[0]?.problems, ['failed requests: 3 timeout']);
  });

  it('ends at once when the run is to end', async () => {
    const ending = new AbortController();
    let turns = 0;
    const measure: Measure = async () => {
      turns += 1;
      ending.abort(new Error('ended by SIGINT'));
      throw new Error('the load was killed');
    };
    await assert.rejects(run(caseOf({ a: measure }), ending.signal), /ended by SIGINT/);
    assert.equal(turns, 1);
  });
});
