import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Deployment, DeploymentStep } from '../../../../internal/model/deployment.ts';
import { FIRST_RELEASE } from '../../../../internal/model/release.ts';
import { LiveDeployments } from '../../../../internal/server/live/live-deployments.ts';

const MINUTE_MS = 60_000;
const NOW = 100 * MINUTE_MS;

function deployment(id: number, finishedAt: number | null): Deployment {
  const state = finishedAt === null ? 'running' : 'succeeded';
  const release = { ...FIRST_RELEASE, deployment: id };
  const times = { createdAt: 0, startedAt: 0, finishedAt };
  const noNodes = { node: null, nodes: [], givenUp: null };
  const rest = { previous: null, by: 'ann', reason: null };
  return { id, service: 'web', kind: 'deploy', state, release, ...rest, ...times, ...noNodes };
}

function step(id: number): DeploymentStep {
  return { id, deployment: 3, at: NOW, message: `step ${id}`, instanceId: null, logTail: [], node: null };
}

describe('the deployments that are shown live', () => {
  it('are those under way and those that ended lately, with their last steps, of which none is read twice', async () => {
    const all = [deployment(3, null), deployment(2, NOW - 14 * MINUTE_MS), deployment(1, NOW - 16 * MINUTE_MS)];
    const steps = Array.from({ length: 150 }, (_, at) => step(at + 1));
    const asked: [number, number][] = [];
    const registry = {
      allDeployments: async ({ active = false }) =>
        all.filter(({ finishedAt }) => !active || finishedAt === null).map((each) => [each]),
      deploymentSteps: async (id: number, after: number) => {
        asked.push([id, after]);
        return id === 3 ? steps.filter((each) => each.id > after) : [];
      },
    };
    const shown = new LiveDeployments(registry, { gone: new Set() }, () => NOW);
    assert.deepEqual(
      (await shown.read()).map(({ id, steps: [first, ...others] }) => [id, first?.message, others.length]),
      [
        [3, 'step 51', 99],
        [2, undefined, 0],
      ],
    );
    steps.push(step(151));
    assert.equal((await shown.read())[0]?.steps.at(-1)?.message, 'step 151');
    assert.deepEqual(
      asked.filter(([id]) => id === 3),
      [
        [3, 0],
        [3, 150],
      ],
    );
  });
});
