import type { Deployment, DeploymentStep } from '../model/deployment.ts';
import type { DeploymentPartView, DeploymentStepView, DeploymentView } from '../model/deployment-view.ts';
import { releaseViewOf } from '../model/release.ts';
import type { WholeDeployment } from '../model/whole-deployment.ts';

/** A deployment as the API shows it, with times in ISO 8601. */
export function deploymentView({
  id,
  service,
  kind,
  state,
  release,
  previous,
  by,
  reason,
  parts,
  ...times
}: WholeDeployment): DeploymentView {
  const { createdAt, startedAt, finishedAt } = times;
  return {
    id,
    service,
    kind,
    state,
    version: release.version,
    release: releaseViewOf(release),
    previous: previous && releaseViewOf(previous),
    by,
    nodes: parts.flatMap(partView),
    createdAt: timeOf(createdAt),
    startedAt: startedAt === null ? null : timeOf(startedAt),
    finishedAt: finishedAt === null ? null : timeOf(finishedAt),
    ...(reason === null ? {} : { reason }),
  };
}

function partView({ node, state, release, reason }: Deployment): DeploymentPartView[] {
  if (node === null) return [];
  return [{ node, state, version: release.version, ...(reason === null ? {} : { reason }) }];
}

/** A step of a deployment as the API shows it. */
export function stepView({ at, message, instanceId, logTail, node }: DeploymentStep): DeploymentStepView {
  return {
    at: timeOf(at),
    message,
    ...(node === null ? {} : { node }),
    ...(instanceId === null ? {} : { instance: instanceId }),
    ...(logTail.length === 0 ? {} : { logTail }),
  };
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}
