import type { LiveInstance } from '../../../internal/model/live.ts';
import type { Sort, TopView } from './view.ts';

/** What a number stands for in each order; the largest goes first. */
const VALUE: Readonly<Partial<Record<Sort, (instance: LiveInstance) => number | null | undefined>>> = {
  rps: ({ traffic }) => traffic.rps,
  errors: ({ traffic }) => traffic.errorRate,
  p99: ({ traffic }) => traffic.p99,
  'in-flight': ({ traffic }) => traffic.inFlight,
  cpu: ({ cpu }) => cpu,
  memory: ({ memory }) => memory,
  restarts: ({ restarts }) => restarts,
};

/** The instances that pass the filter, in the order that is asked for; those without a figure go last. */
export function chosenOf(instances: readonly LiveInstance[], view: TopView): readonly LiveInstance[] {
  const found = instances.filter((instance) => matches(instance, view.filter));
  const sorted = inOrder(found, view.sort);
  return view.isReversed ? sorted.toReversed() : sorted;
}

/** By service they come as they are: by service, host and port. */
function inOrder(instances: readonly LiveInstance[], sort: Sort): readonly LiveInstance[] {
  if (sort === 'id') return instances.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const valueOf = VALUE[sort];
  if (valueOf === undefined) return instances;
  return instances.toSorted((a, b) => (valueOf(b) ?? -1) - (valueOf(a) ?? -1));
}

function matches({ id, service, status, health, version }: LiveInstance, filter: string): boolean {
  const wanted = filter.toLowerCase();
  return [id, service, status, health, version ?? ''].some((text) => text.toLowerCase().includes(wanted));
}
