import { type Alert, SEVERITIES } from './alert.ts';
import type { ChannelFilter } from './schema.ts';

export const NO_FILTER: ChannelFilter = { severity: 'info', services: [], quiet: [] };

/** Whether a channel is told of an alert at all. What is about no service concerns everybody. */
export function accepts({ severity, services }: ChannelFilter, alert: Alert): boolean {
  const isSevereEnough = SEVERITIES.indexOf(alert.severity) <= SEVERITIES.indexOf(severity);
  return isSevereEnough && (alert.service === undefined || services.length === 0 || services.includes(alert.service));
}
