import { createHash } from 'node:crypto';

/**
 * Names a front among the load balancers of a registry: `nginx:1f6ad2@host-a-4711-0b51c2`. No load balancer of heimdall's own has
 * an `@` in its id, for no host name has one.
 * @param services - that it serves.
 */
export function frontId(front: string, services: readonly string[], proxyId: string): string {
  const group = createHash('sha256').update(services.toSorted().join()).digest('hex').slice(0, 6);
  return `${front}:${group}@${proxyId}`;
}

/** The same for fronts of the same services; null: a load balancer of heimdall's own. */
export function groupOf(proxyId: string): string | null {
  return /^[^:@]*:([^@]*)@/.exec(proxyId)?.[1] ?? null;
}
