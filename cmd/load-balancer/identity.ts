import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { nodeNameOf } from '../../internal/config/node-name.ts';
import type { Config } from '../../internal/config/schema.ts';
import { proxyIdOf } from '../../internal/model/proxy-place.ts';
import { loadCookieSecret } from '../../internal/proxy/sticky-secret.ts';
import type { Logger } from '../../pkg/logger/logger.ts';

/** Names one load balancer among those on the same registry. @param place - see `proxyIdOf`. */
export function newProxyId(place: string = hostname()): string {
  return proxyIdOf(place, process.pid, randomBytes(3).toString('hex'));
}

/** The place of a load balancer that listens. */
export function listeningPlace(config: Config): string {
  return `${nodeNameOf(config)}-${config.proxy.port}`;
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
