import { HeimdallError } from '../model/errors.ts';
import type { Service } from '../model/service.ts';

/** @throws {HeimdallError} SERVICE_NOT_FOUND. */
export function serviceNamed(services: readonly Service[], name: string): Service {
  const service = services.find((each) => each.name === name);
  if (service !== undefined) return service;
  const known = services.map((each) => each.name).join(', ') || 'none';
  throw new HeimdallError('SERVICE_NOT_FOUND', `there is no service ${name}; configured: ${known}`);
}
