import type { Instance } from '../../model/instance.ts';
import { newInstance, portTaken } from '../instance-rules.ts';
import type { InstanceDraft } from '../registry.ts';
import type { Handle } from './handle.ts';
import { readHolder, readMeta, takenPorts } from './queries.ts';

/** @throws {HeimdallError} NO_FREE_PORT. */
export function reserveInstance(handle: Handle, draft: InstanceDraft, ports: readonly number[]): Instance {
  const taken = takenPorts(handle, draft.host);
  const instance = newInstance(draft, ports, (port) => !taken.has(port));
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

/** @throws {HeimdallError} PORT_TAKEN. */
export function checkPort(handle: Handle, { id, host, port }: Instance): void {
  const holder = readHolder(handle, host, port);
  if (holder === null || holder === id) return;
  throw portTaken(host, port, holder);
}

/** Once per transaction that changes desired state. */
export function raiseRevision(handle: Handle): number {
  handle.run('UPDATE meta SET revision = revision + 1');
  return readMeta(handle).revision;
}
