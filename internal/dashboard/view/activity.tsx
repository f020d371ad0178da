import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { AlertView } from '../../model/alert-view.ts';
import type { EventView } from '../../model/event-view.ts';
import { LIVE_EVENTS } from '../../model/live-after.ts';
import { Panel } from '../part/panel.tsx';
import { useSite } from '../site.ts';
import { AlertsPanel } from './alerts-panel.tsx';
import { happeningsOf } from './happenings.ts';
import { Happenings } from './timeline.tsx';

/** So many older events are asked for. */
const OLDER = 500;

const SCOPES = [
  { scope: 'all', label: 'Everything' },
  { scope: 'audit', label: 'Who did what' },
  { scope: 'alerts', label: 'Alerts' },
] as const;
type Scope = (typeof SCOPES)[number]['scope'];

/** What is wrong, and what happened, as far back as one wants to look. */
export function Activity() {
  const { store, filter } = useSite();
  const scope = useSignal<Scope>('all');
  const older = useOlder(scope);
  const words = filter.value.trim().toLowerCase();
  const { events, alerts } = within(scope.value, joined(store.events.value, older.value ?? []), store.alerts.value);
  return (
    <>
      <h1 class="hidden">Activity</h1>
      <AlertsPanel />
      <Panel title="Timeline" aside={<ScopeChoice scope={scope} />}>
        <Happenings shown={happeningsOf(events, alerts, words)} />
      </Panel>
    </>
  );
}

function ScopeChoice({ scope }: { readonly scope: { value: Scope } }) {
  return (
    <div class="buttons" role="group" aria-label="What is shown">
      {SCOPES.map((each) => (
        <button
          key={each.scope}
          type="button"
          class="choice"
          aria-pressed={scope.value === each.scope}
          onClick={() => (scope.value = each.scope)}
        >
          {each.label}
        </button>
      ))}
    </div>
  );
}

/** Events from before those that the live stream tells; null: not yet. Asked for again before what it tells leaves a gap. */
function useOlder(scope: { readonly value: Scope }) {
  const { client, tell, store } = useSite();
  const stretch = useComputed(() => Math.floor((store.events.value[0]?.id ?? 0) / (LIVE_EVENTS / 2)));
  const older = useSignal<readonly EventView[] | null>(null);
  useSignalEffect(() => {
    const type = scope.value === 'audit' ? 'audit' : undefined;
    const ended = new AbortController();
    void stretch.value;
    client()
      .events({ limit: OLDER, type, signal: ended.signal })
      .then((found) => (older.value = found))
      .catch((error: unknown) => {
        if (!ended.signal.aborted)
          tell(`Older events cannot be shown: ${error instanceof Error ? error.message : String(error)}`, true);
      });
    return () => ended.abort();
  });
  return older;
}

function within(scope: Scope, events: readonly EventView[], alerts: readonly AlertView[]) {
  if (scope === 'all') return { events, alerts };
  return scope === 'alerts'
    ? { events: [], alerts }
    : { events: events.filter(({ type }) => type === 'audit'), alerts: [] };
}

/** Each event once, newest first. */
function joined(live: readonly EventView[], older: readonly EventView[]): readonly EventView[] {
  const oldest = live.at(-1)?.id ?? Number.POSITIVE_INFINITY;
  return [...live, ...older.filter(({ id }) => id < oldest)];
}
