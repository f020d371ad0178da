import { effect, signal } from '@preact/signals';
import { render } from 'preact';
import { createClient } from '../client/client.ts';
import type { Action } from './action/action.ts';
import { listenToKeys } from './keyboard.ts';
import { Feed } from './live/feed.ts';
import { Session } from './live/session.ts';
import { Store } from './live/store.ts';
import { hashOf, type Route, routeOf } from './route.ts';
import { type Notice, type Site, SiteContext } from './site.ts';
import { Shell } from './view/shell.tsx';

/** How long it is said how something ended; what went wrong stays longer. Milliseconds. */
const NOTICE_MS = 8_000;
const BAD_NOTICE_MS = 30_000;

function createSite(): Site {
  const session = new Session(
    () => sessionStorage,
    () => localStorage,
  );
  const store = new Store();
  const route = signal<Route>(routeOf(location.hash));
  const notices = signal<readonly Notice[]>([]);
  const baseUrl = new URL('.', location.href).pathname;
  const client = () =>
    createClient({
      baseUrl,
      token: session.token.peek() ?? undefined,
      actor: session.actor.peek() || undefined,
    });
  const feed = new Feed({
    open: (ended) => client().live({ signal: ended }),
    onMessage: (message) => store.apply(message),
    onRefused: ({ detail }) => (session.demand.value = session.token.peek() === null ? '' : detail),
  });
  let count = 0;
  const tell = (text: string, isBad = false) => {
    const id = (count += 1);
    notices.value = [...notices.peek(), { id, text, isBad }];
    setTimeout(
      () => (notices.value = notices.peek().filter((notice) => notice.id !== id)),
      isBad ? BAD_NOTICE_MS : NOTICE_MS,
    );
  };
  return {
    store,
    feed,
    session,
    route,
    notices,
    client,
    tell,
    filter: signal(''),
    action: signal<Action | null>(null),
    isHelpOpen: signal(false),
    go: (change) => (location.hash = hashOf({ ...route.peek(), ...change })),
  };
}

const site = createSite();
effect(() => {
  document.documentElement.dataset['theme'] = site.session.theme.value;
});
window.addEventListener('hashchange', () => (site.route.value = routeOf(location.hash)));
listenToKeys(site);
render(
  <SiteContext.Provider value={site}>
    <Shell />
  </SiteContext.Provider>,
  document.getElementById('app') ?? document.body,
);
site.feed.restart();
