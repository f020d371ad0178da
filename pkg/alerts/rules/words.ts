import { formatDuration } from '../words.ts';
import { keyStart } from './kinds.ts';
import type { AlertRule } from './schema.ts';

/** `7.2%` */
export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0).replace(/\.0$/, '')}%`;
}

/** What must not be, in a few words: `error rate above 5%`. */
export function conditionOf(rule: AlertRule): string {
  switch (rule.when) {
    case 'error-rate':
      return `error rate above ${limitOf(rule)}`;
    case 'p99':
      return `p99 above ${limitOf(rule)}`;
    case 'saturation':
      return `more than ${limitOf(rule)} of its room in use`;
    case 'unhealthy':
      return `more than ${limitOf(rule)} of the instances unhealthy`;
    case 'restarts':
      return `more than ${limitOf(rule)} unexpected ends within ${formatDuration(rule.over)}`;
    case 'certificate':
      return `certificate valid for less than ${limitOf(rule)}`;
    case 'disk':
      return `disk more than ${limitOf(rule)} full`;
  }
}

function limitOf(rule: AlertRule): string {
  switch (rule.when) {
    case 'p99':
      return `${rule.above} ms`;
    case 'certificate':
      return formatDuration(rule.below);
    case 'restarts':
      return String(rule.above);
    case 'error-rate':
    case 'saturation':
    case 'unhealthy':
    case 'disk':
      return `${Number((rule.above * 100).toFixed(6))}%`;
  }
}

/**
 * Tells the alerts of a rule from those of others; the same in every process and after every restart. Another severity is
 * another alert: channels that only take the worse one have to be told of it, and of its end.
 */
export function ruleKey(rule: AlertRule, subject: string): string {
  return `${keyStart(rule.when)}${subject}${keyEnd(rule)}`;
}

/** Whether an alert is one of the rule, whatever it is about. */
export function isKeyOf(rule: AlertRule, key: string): boolean {
  return key.startsWith(keyStart(rule.when)) && key.endsWith(keyEnd(rule));
}

function keyEnd(rule: AlertRule): string {
  return `/${rule.severity}/${rule.name ?? limitOf(rule)}`;
}
