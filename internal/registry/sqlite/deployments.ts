import type { Deployment, DeploymentStep } from '../../model/deployment.ts';
import { deploymentNotFound, deploymentRunning } from '../refusals.ts';
import type { DeploymentChange, DeploymentDraft } from '../registry.ts';
import type { Handle } from './handle.ts';
import { DeploymentRowSchema, NumberRowSchema, parseRow, StepRowSchema } from './rows.ts';

const DEPLOYMENTS = `SELECT id, service, kind, state, release, previous, by, created_at AS createdAt, started_at AS startedAt,
  finished_at AS finishedAt, reason FROM deployments`;
const NOT_OVER = "state IN ('queued', 'running', 'rolling-back')";

/** @throws {HeimdallError} DEPLOYMENT_RUNNING */
export function insertDeployment(handle: Handle, draft: DeploymentDraft, now: number): Deployment {
  const { service, kind, release, by, queue } = draft;
  const [other] = readDeployments(handle, 1, service, true);
  if (other !== undefined && !queue) throw deploymentRunning(other);
  handle.run(
    `INSERT INTO deployments (service, kind, state, release, by, created_at) VALUES (?, ?, 'queued', ?, ?, ?)`,
    service,
    kind,
    JSON.stringify(release),
    by,
    now,
  );
  const id = lastId(handle);
  handle.run('UPDATE deployments SET release = ? WHERE id = ?', JSON.stringify({ ...release, deployment: id }), id);
  return readDeployment(handle, id);
}

/** @throws {HeimdallError} DEPLOYMENT_NOT_FOUND */
export function updateDeployment(handle: Handle, id: number, change: DeploymentChange): Deployment {
  const { state, previous, startedAt, finishedAt, reason } = { ...readDeployment(handle, id), ...change };
  handle.run(
    'UPDATE deployments SET state = ?, previous = ?, started_at = ?, finished_at = ?, reason = ? WHERE id = ?',
    state,
    previous && JSON.stringify(previous),
    startedAt,
    finishedAt,
    reason,
    id,
  );
  return readDeployment(handle, id);
}

/** One that is under way is its manager's own affair: there is one manager. @returns whether it waited. */
export function skipDeployment(handle: Handle, id: number, reason: string, now: number): boolean {
  const isWaiting = readDeployment(handle, id).state === 'queued';
  if (isWaiting) updateDeployment(handle, id, { state: 'skipped', finishedAt: now, reason });
  return isWaiting;
}

export function insertStep(handle: Handle, step: Omit<DeploymentStep, 'id' | 'node'>): DeploymentStep {
  const { deployment, at, message, instanceId, logTail } = step;
  handle.run(
    'INSERT INTO deployment_steps (deployment, at, message, instance_id, log_tail) VALUES (?, ?, ?, ?, ?)',
    deployment,
    at,
    message,
    instanceId,
    JSON.stringify(logTail),
  );
  return { id: lastId(handle), ...step, node: null };
}

/** Those older than `before`, of deployments that are over. */
export function deleteSteps(handle: Handle, before: number): void {
  const over = 'SELECT id FROM deployments WHERE finished_at IS NOT NULL';
  handle.run(`DELETE FROM deployment_steps WHERE at < ? AND deployment IN (${over})`, before);
}

/** Newest first. @param active - only those that are not over. */
export function readDeployments(handle: Handle, limit: number, service: string | null, active: boolean): Deployment[] {
  const rows = handle.all(
    `${DEPLOYMENTS} WHERE service = coalesce(?, service) ${active ? `AND ${NOT_OVER}` : ''} ORDER BY id DESC LIMIT ?`,
    service,
    limit,
  );
  return rows.map((row) => parseRow('deployments', DeploymentRowSchema, row));
}

/** @throws {HeimdallError} DEPLOYMENT_NOT_FOUND */
export function readDeployment(handle: Handle, id: number): Deployment {
  const row = handle.get(`${DEPLOYMENTS} WHERE id = ?`, id);
  if (row === undefined) throw deploymentNotFound(id);
  return parseRow('deployments', DeploymentRowSchema, row);
}

/** Oldest first. */
export function readSteps(handle: Handle, deployment: number, after: number): DeploymentStep[] {
  const rows = handle.all(
    `SELECT id, deployment, at, message, instance_id AS instanceId, log_tail AS logTail FROM deployment_steps
     WHERE deployment = ? AND id > ? ORDER BY id`,
    deployment,
    after,
  );
  return rows.map((row) => parseRow('deployment_steps', StepRowSchema, row));
}

function lastId(handle: Handle): number {
  return parseRow('sqlite', NumberRowSchema, handle.get('SELECT last_insert_rowid() AS id')).id;
}
