import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Signal } from '@preact/signals';
import type { Client } from '../client/client.ts';
import type { Action } from './action/action.ts';
import type { Feed } from './live/feed.ts';
import type { Session } from './live/session.ts';
import type { Store } from './live/store.ts';
import type { Route } from './route.ts';

/** How something ended that a person asked for. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly isBad: boolean;
}

/** What the parts of the page share. */
export interface Site {
  readonly store: Store;
  readonly feed: Feed;
  readonly session: Session;
  readonly route: Signal<Route>;
  /** Text that what is listed must contain. */
  readonly filter: Signal<string>;
  /** The action whose dialog is open. */
  readonly action: Signal<Action | null>;
  readonly notices: Signal<readonly Notice[]>;
  readonly isHelpOpen: Signal<boolean>;
  /** With the present token and name. */
  readonly client: () => Client;
  readonly tell: (text: string, isBad?: boolean) => void;
  readonly go: (route: Partial<Route>) => void;
}

export const SiteContext = createContext<Site | null>(null);

export function useSite(): Site {
  const site = useContext(SiteContext);
  if (site === null) throw new Error('there is no site around this part');
  return site;
}
