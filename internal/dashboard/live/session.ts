import { effect, signal } from '@preact/signals';

/** Where the browser keeps something under a name; it may refuse, even to say where, and then nothing is kept. */
type Place = () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Who looks, and how. The token ends with the browser's tab; the name and the theme stay. */
export class Session {
  readonly token = signal<string | null>(null);
  /** Who acts, as the audit shows it; null: was not asked yet; empty: does not want to say. */
  readonly actor = signal<string | null>(null);
  readonly theme = signal<Theme>('auto');
  /** Why a token is asked for; null: none is. */
  readonly demand = signal<string | null>(null);

  constructor(tab: Place, lasting: Place) {
    this.token.value = kept(tab, 'heimdall.token');
    this.actor.value = kept(lasting, 'heimdall.actor');
    const theme = kept(lasting, 'heimdall.theme');
    this.theme.value = THEMES.find((known) => known === theme) ?? 'auto';
    effect(() => keep(tab, 'heimdall.token', this.token.value));
    effect(() => keep(lasting, 'heimdall.actor', this.actor.value));
    effect(() => keep(lasting, 'heimdall.theme', this.theme.value));
  }
}

function kept(place: Place, name: string): string | null {
  try {
    return place().getItem(name);
  } catch {
    return null; // site data are blocked
  }
}

function keep(place: Place, name: string, value: string | null): void {
  try {
    if (value === null) place().removeItem(name);
    else place().setItem(name, value);
  } catch {
    // blocked, or full: it lasts as long as the page
  }
}
