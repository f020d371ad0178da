import type { Instance } from './instance.ts';

/** Changes with every new process behind the same row; health and latency of an earlier one say nothing about it. */
export function incarnationOf(instance: Instance): string {
  return `${instance.id}#${instance.startedAt ?? 0}`;
}
