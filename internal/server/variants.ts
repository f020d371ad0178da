import { HeimdallError } from '../model/errors.ts';
import type { Service } from '../model/service.ts';

/**
 * The entry of the service's `versions` that a version means; null when the service declares none: a version is a mere name then.
 * @throws {HeimdallError} INVALID_REQUEST when it declares others only.
 */
export function variantNamed(service: Service, version: string): string | null {
  if (Object.keys(service.versions).length === 0) return null;
  assertDeclared(service, version);
  return version;
}

/** @throws {HeimdallError} INVALID_REQUEST: only what the configuration declares can be run. */
export function assertDeclared({ name, versions }: Service, variant: string): void {
  if (Object.hasOwn(versions, variant)) return;
  const known = Object.keys(versions).join(', ') || 'none';
  const message = `"${variant}" is no version of service ${name}; in its "versions" in the configuration: ${known}`;
  throw new HeimdallError('INVALID_REQUEST', message);
}
