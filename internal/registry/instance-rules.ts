import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { HeimdallError } from '../model/errors.ts';
import { type Instance, InstanceSchema } from '../model/instance.ts';
import { mayFollow } from '../model/lifecycle.ts';
import type { InstanceDraft } from './registry.ts';

const SUFFIX_LENGTH = 6;

/** On the first of `ports` that is free. @throws {HeimdallError} NO_FREE_PORT; INVALID_REQUEST. */
export function newInstance(
  draft: InstanceDraft,
  ports: readonly number[],
  isFree: (port: number) => boolean,
): Instance {
  const port = ports.find(isFree);
  if (port === undefined) {
    const message = `No port is free for ${draft.service} on ${draft.host}: every candidate is taken.`;
    throw new HeimdallError('NO_FREE_PORT', message, { host: draft.host, ports });
  }
  return checkInstance({
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
}

/** A row that readers would refuse is not written. @throws {HeimdallError} INVALID_REQUEST. */
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

/** @param holder - the id of the instance that has the port. */
export function portTaken(host: string, port: number, holder: string): HeimdallError {
  return new HeimdallError('PORT_TAKEN', `Port ${port} on ${host} is taken by ${holder}.`, { host, port, holder });
}

export function newInstanceId(service: string, port: number): string {
  return `${service}-${port}-${randomSuffix()}`;
}

export function randomSuffix(): string {
  return Array.from({ length: SUFFIX_LENGTH }, () => randomInt(36).toString(36)).join('');
}
