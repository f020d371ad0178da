import type { ReadonlySignal } from '@preact/signals';
import { useComputed, useSignal } from '@preact/signals';
import type { LiveInstance } from '../../model/live.ts';
import { useSite } from '../site.ts';
import { InstanceRow } from './instance-row.tsx';

/** From so many on, rows that nobody sees rest. */
const MANY_ROWS = 60;

interface Column {
  readonly key: string;
  readonly label: string;
  readonly class: string;
  /** What it is sorted by; absent: the order of the system, by service, host and port. */
  readonly order?: (instance: LiveInstance) => number | string;
}

interface Sorting {
  readonly key: string;
  readonly isDescending: boolean;
}

/** As the manager tells them. */
const UNSORTED: Sorting = { key: 'id', isDescending: false };
/** Words are looked for from A to Z; of figures the largest matter. */
const WORDS = new Set(['status', 'health', 'version']);

const COLUMNS: readonly Column[] = [
  { key: 'id', label: 'Instance', class: 'col-id' },
  { key: 'status', label: 'Lifecycle', class: 'col-status', order: ({ status }) => status },
  { key: 'health', label: 'Health', class: 'col-health', order: ({ health }) => health },
  { key: 'version', label: 'Version', class: 'wide col-version', order: ({ version }) => version ?? '' },
  { key: 'rps', label: 'Req/s', class: 'figure col-rps', order: ({ traffic }) => traffic.rps },
  {
    key: 'errors',
    label: 'Errors',
    class: 'figure medium col-errors',
    order: ({ traffic }) => traffic.errorRate ?? -1,
  },
  { key: 'p99', label: 'p99', class: 'figure medium col-p99', order: ({ traffic }) => traffic.p99 ?? -1 },
  { key: 'flight', label: 'In flight', class: 'figure medium col-flight', order: ({ traffic }) => traffic.inFlight },
  { key: 'cpu', label: 'CPU', class: 'figure wide col-cpu', order: ({ cpu }) => cpu ?? -1 },
  { key: 'memory', label: 'Memory', class: 'figure wide col-memory', order: ({ memory }) => memory ?? -1 },
  { key: 'restarts', label: 'Restarts', class: 'figure wide col-restarts', order: ({ restarts }) => restarts },
  {
    key: 'uptime',
    label: 'Up for',
    class: 'figure wide col-uptime',
    order: ({ startedAt }) => Date.parse(startedAt ?? '') || 0,
  },
  { key: 'past', label: '15 min', class: 'wide col-past' },
];

/** @param service - only its instances; null: all. */
export function InstancesTable({ service }: { readonly service: string | null }) {
  const { filter } = useSite();
  const sortedBy = useSignal(UNSORTED);
  const scope = useSignal(service);
  scope.value = service;
  const ids = useShownIds(scope, sortedBy);
  return (
    <div class="scroll">
      <table class="list fixed">
        <caption class="hidden">{service === null ? 'Instances' : `Instances of ${service}`}</caption>
        <thead>
          <tr>
            {COLUMNS.map((column) => (
              <th key={column.key} scope="col" class={column.class} aria-sort={ariaSort(column, sortedBy.value)}>
                {column.key === 'past' ? (
                  column.label
                ) : (
                  <button
                    type="button"
                    class="sort"
                    onClick={() => (sortedBy.value = sortingAfter(column, sortedBy.peek()))}
                  >
                    {column.label}
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ids.value.map((id) => (
            <InstanceRow key={id} id={id} isServiceShown={service === null} mayRest={ids.value.length > MANY_ROWS} />
          ))}
        </tbody>
      </table>
      {ids.value.length === 0 && (
        <p class="empty">
          {filter.value === ''
            ? 'There are no instances. Add or scale to start some.'
            : 'No instance matches the filter.'}
        </p>
      )}
    </div>
  );
}

/** The same list object as long as it holds the same, so that ticks draw rows and not the table. */
function useShownIds(scope: ReadonlySignal<string | null>, sortedBy: ReadonlySignal<Sorting>) {
  const { store, filter } = useSite();
  const joined = useComputed(() => {
    const { key: sortKey, isDescending } = sortedBy.value;
    const order = COLUMNS.find(({ key }) => key === sortKey)?.order;
    const words = filter.value.trim().toLowerCase();
    const shown = store.state.value.instances.filter(
      (instance) => (scope.value === null || instance.service === scope.value) && matches(instance, words),
    );
    const sign = isDescending ? -1 : 1;
    const sorted = order === undefined ? shown : shown.toSorted((a, b) => sign * compare(order(a), order(b)));
    return sorted.map(({ id }) => id).join('\n');
  });
  return useComputed(() => (joined.value === '' ? [] : joined.value.split('\n')));
}

/** A second click turns the order round. */
function sortingAfter({ key, order }: Column, before: Sorting): Sorting {
  if (order === undefined) return UNSORTED;
  if (before.key === key) return { key, isDescending: !before.isDescending };
  return { key, isDescending: !WORDS.has(key) };
}

function ariaSort({ key, order }: Column, sorting: Sorting): 'ascending' | 'descending' | undefined {
  if (order === undefined || sorting.key !== key) return undefined;
  return sorting.isDescending ? 'descending' : 'ascending';
}

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
}

function matches({ id, service, node, version, status, health }: LiveInstance, words: string): boolean {
  return `${id} ${service} ${node ?? ''} ${version ?? ''} ${status} ${health}`.toLowerCase().includes(words);
}
