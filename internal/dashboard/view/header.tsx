import { spanText } from '../format.ts';
import { THEMES } from '../live/session.ts';
import { Mark } from '../part/mark.tsx';
import { hashOf, HOME, type Route } from '../route.ts';
import { useSite } from '../site.ts';
import type { Standing } from '../standing.ts';

const VIEWS: readonly { readonly view: Route['view']; readonly label: string }[] = [
  { view: 'overview', label: 'Overview' },
  { view: 'instances', label: 'Instances' },
  { view: 'activity', label: 'Activity' },
];

export function Header() {
  const { route, filter, isHelpOpen } = useSite();
  const { view } = route.value;
  return (
    <header class="top">
      <a class="brand" href={hashOf(HOME)}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M9 7v18M23 7v18M9 11l14 6M9 17l14 6" />
        </svg>
        heimdall
      </a>
      <nav aria-label="Views">
        {VIEWS.map((each) => (
          <a
            key={each.view}
            href={hashOf({ ...HOME, view: each.view })}
            aria-current={view === each.view ? 'page' : undefined}
          >
            {each.label}
            {each.view === 'activity' && <AlertCount />}
          </a>
        ))}
      </nav>
      <input
        id="filter"
        type="search"
        placeholder="Filter  /"
        aria-label="Filter"
        value={filter.value}
        onInput={(event) => (filter.value = event.currentTarget.value)}
      />
      <LiveState />
      <ThemeSwitch />
      <button type="button" class="icon" aria-label="Keyboard and help" onClick={() => (isHelpOpen.value = true)}>
        ?
      </button>
      <LogOut />
    </header>
  );
}

function AlertCount() {
  const { store } = useSite();
  const count = store.activeAlerts.value.length;
  return count === 0 ? null : (
    <span class="badge bad" title="active alerts">
      {count}
    </span>
  );
}

/** Whether what is shown is what is. */
function LiveState() {
  const { feed, store } = useSite();
  const { kind, ageMs } = feed.freshness.value;
  const fresh: Standing = { word: 'live', tone: 'good', shape: 'disc' };
  const stale: Standing = { word: `stale ${spanText(ageMs)}`, tone: 'bad', shape: 'triangle' };
  const loading: Standing = { word: 'connecting', tone: 'busy', shape: 'turn' };
  const standing = kind === 'fresh' ? fresh : kind === 'stale' ? stale : loading;
  const { version, revision } = store.state.value;
  return (
    <span
      class={`live tone-${standing.tone}`}
      title={`heimdall ${version}, registry revision ${revision ?? 'unknown'}`}
    >
      <Mark standing={standing} /> {standing.word}
    </span>
  );
}

function ThemeSwitch() {
  const { session } = useSite();
  const theme = session.theme.value;
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
  return (
    <button
      type="button"
      class="icon"
      aria-label={`Theme: ${theme}. Change to ${next}`}
      title={`Theme: ${theme}`}
      onClick={() => (session.theme.value = next)}
    >
      {theme === 'auto' ? '◐' : theme === 'light' ? '○' : '●'}
    </button>
  );
}

function LogOut() {
  const { session, feed } = useSite();
  if (session.token.value === null) return null;
  const leave = () => {
    feed.stop();
    session.token.value = null;
    session.demand.value = '';
  };
  return (
    <button type="button" class="log-out" onClick={leave}>
      Log out
    </button>
  );
}
