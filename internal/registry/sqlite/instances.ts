import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { HeimdallError } from '../../model/errors.ts';
import { type Instance, InstanceSchema } from '../../model/instance.ts';
import { mayFollow } from '../../model/lifecycle.ts';
import type { InstanceDraft } from '../registry.ts';
import type { Handle } from './handle.ts';
import { readMeta, takenPorts } from './queries.ts';

const SUFFIX_LENGTH = 6;

/** @throws {HeimdallError} NO_FREE_PORT. */
export function reserveInstance(handle: Handle, draft: InstanceDraft, ports: readonly number[]): Instance {
  const taken = takenPorts(handle, draft.host);
  const port = ports.find((candidate) => !taken.has(candidate));
  if (port === undefined) {
    const message = `No port is free for ${draft.service} on ${draft.host}: every candidate is taken.`;
    throw new HeimdallError('NO_FREE_PORT', message, { host: draft.host, ports });
  }
  const instance = checkInstance({
    ...draft,
    id: newInstanceId(draft.service, port),
    port,
    agent: null,
    lifecycle: 'starting',
    process: null,
    startedAt: null,
    restarts: 0,
    lastError: null,
  });
  insertInstance(handle, instance);
  return instance;
}

export function insertInstance(handle: Handle, instance: Instance): void {
  handle.run(
    `INSERT INTO instances (service, host, port, node, agent, weight, version, variant, deployment, lifecycle, process, env,
       started_at, restarts, last_error, id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...columnsOf(instance),
  );
}

/** Returns whether anything has changed. */
export function updateInstance(handle: Handle, before: Instance, instance: Instance): boolean {
  const columns = columnsOf(instance);
  if (columnsOf(before).every((value, index) => value === columns[index])) return false;
  handle.run(
    `UPDATE instances SET service = ?, host = ?, port = ?, node = ?, agent = ?, weight = ?, version = ?, variant = ?,
       deployment = ?, lifecycle = ?, process = ?, env = ?, started_at = ?, restarts = ?, last_error = ? WHERE id = ?`,
    ...columns,
  );
  return true;
}

/** In the order of both statements above. */
function columnsOf(instance: Instance): (string | number | null)[] {
  const { id, service, host, port, node, weight, version, variant, deployment, lifecycle } = instance;
  const agent = instance.agent && JSON.stringify(instance.agent);
  const identity = instance.process && JSON.stringify(instance.process);
  const { env, startedAt, restarts, lastError } = instance;
  const made = [service, host, port, node, agent, weight, version, variant, deployment];
  return [...made, lifecycle, identity, JSON.stringify(env), startedAt, restarts, lastError, id];
}

/** A row that readers would refuse is not written. */
export function checkInstance(instance: Instance): Instance {
  const parsed = InstanceSchema.safeParse(instance);
  if (parsed.success) return parsed.data;
  const message = `The instance ${instance.id} is not valid: ${z.prettifyError(parsed.error)}`;
  throw new HeimdallError('INVALID_REQUEST', message, { id: instance.id });
}

/** @throws {HeimdallError} LIFECYCLE_CONFLICT. */
export function checkStep({ id, lifecycle: from }: Instance, { lifecycle: to }: Instance): void {
  if (mayFollow(from, to)) return;
  const message = `The instance ${id} is ${from} and cannot become ${to}.`;
  throw new HeimdallError('LIFECYCLE_CONFLICT', message, { id, from, to });
}

/** @throws {HeimdallError} PORT_TAKEN. */
export function checkPort(handle: Handle, { id, host, port }: Instance): void {
  const holder = takenPorts(handle, host).get(port);
  if (holder === undefined || holder === id) return;
  const message = `Port ${port} on ${host} is taken by ${holder}.`;
  throw new HeimdallError('PORT_TAKEN', message, { host, port, holder });
}

export function newInstanceId(service: string, port: number): string {
  return `${service}-${port}-${randomSuffix()}`;
}

/** Once per transaction that changes desired state. */
export function raiseRevision(handle: Handle): number {
  handle.run('UPDATE meta SET revision = revision + 1');
  return readMeta(handle).revision;
}

export function randomSuffix(): string {
  return Array.from({ length: SUFFIX_LENGTH }, () => randomInt(36).toString(36)).join('');
}
