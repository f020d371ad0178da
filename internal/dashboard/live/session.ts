import { effect, signal } from '@preact/signals';

/** Where the browser keeps something under a name; it may refuse, and then nothing is kept. */
type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'>;

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

  constructor(tab: Storage, lasting: Storage) {
    this.token.value = tab.getItem('heimdall.token');
    this.actor.value = lasting.getItem('heimdall.actor');
    const theme = lasting.getItem('heimdall.theme');
    this.theme.value = THEMES.find((known) => known === theme) ?? 'auto';
    effect(() => keep(tab, 'heimdall.token', this.token.value));
    effect(() => keep(lasting, 'heimdall.actor', this.actor.value));
    effect(() => keep(lasting, 'heimdall.theme', this.theme.value));
  }
}

function keep(storage: Storage, name: string, value: string | null): void {
  if (value === null) storage.removeItem(name);
  else storage.setItem(name, value);
}
