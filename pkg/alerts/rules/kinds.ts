import type { AlertRule, RuleOf } from './schema.ts';

export type RuleKind = AlertRule['when'];

/** What a load balancer sees. */
export const TRAFFIC_KINDS = ['error-rate', 'p99', 'saturation', 'unhealthy'] as const satisfies readonly RuleKind[];
/** What the manager sees. */
export const HOST_KINDS = ['restarts', 'certificate', 'disk'] as const satisfies readonly RuleKind[];

export function isOfKind<K extends RuleKind>(rule: AlertRule, kinds: readonly K[]): rule is RuleOf<K> {
  return kinds.some((kind) => kind === rule.when);
}

/** Whether an alert is of a rule of these kinds, see `ruleKey`. */
export function isKeyOfKind(key: string, kinds: readonly RuleKind[]): boolean {
  return kinds.some((kind) => key.startsWith(keyStart(kind)));
}

/** How the keys of the alerts of such rules begin. */
export function keyStart(kind: RuleKind): string {
  return `${kind}:`;
}
