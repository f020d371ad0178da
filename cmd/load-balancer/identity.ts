import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Config } from '../../internal/config/schema.ts';
import { loadCookieSecret } from '../../internal/proxy/sticky-secret.ts';
import type { Logger } from '../../pkg/logger/logger.ts';

/** Names one load balancer among those on the same registry, also when a process has several. */
export function newProxyId(): string {
  return `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
}

/** A secret of sticky cookies that is kept nowhere. */
export function passingSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Without a writable data folder a load balancer still serves; sticky clients then lose their instance at a restart. */
export async function cookieSecret({ registry }: Config, log: Logger): Promise<string> {
  try {
    return await loadCookieSecret(dirname(registry.path));
  } catch (error) {
    log.warn(
      { err: error },
      'the secret of sticky cookies cannot be kept in the data folder; it lasts for this run only',
    );
    return passingSecret();
  }
}
