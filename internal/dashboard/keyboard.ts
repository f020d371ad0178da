import { HOME } from './route.ts';
import type { Site } from './site.ts';

const VIEW_KEYS = { 1: 'overview', 2: 'instances', 3: 'activity' } as const;

/** Keys that work everywhere on the page, except where something is typed or asked. */
export function listenToKeys(site: Site): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null) return;
    const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
    if (event.key === 'Escape') return leave(site, isTyping);
    if (!isTyping && press(site, event.key)) event.preventDefault();
  });
}

/** Whether the key means something. */
function press(site: Site, key: string): boolean {
  if (key === '/') document.getElementById('filter')?.focus();
  else if (key === '?') site.isHelpOpen.value = true;
  else if (key === 'j' || key === 'ArrowDown') return moveBy(1, key === 'j');
  else if (key === 'k' || key === 'ArrowUp') return moveBy(-1, key === 'k');
  else if (key === '1' || key === '2' || key === '3') site.go({ ...HOME, view: VIEW_KEYS[key] });
  else return false;
  return true;
}

function leave(site: Site, isTyping: boolean): void {
  const { activeElement } = document;
  if (isTyping && activeElement instanceof HTMLElement) {
    if (activeElement.id === 'filter') site.filter.value = '';
    activeElement.blur();
  } else if (site.route.peek().instance !== null) site.go({ instance: null });
}

/** The focus goes from row to row; arrows scroll as ever as long as it is in none. */
function moveBy(step: number, mayBegin: boolean): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('tr[data-row]')];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  if (rows.length === 0 || (at === -1 && !mayBegin)) return false;
  const next = at === -1 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
  const row = rows[next];
  row?.querySelector<HTMLElement>('th a, th button')?.focus();
  row?.scrollIntoView({ block: 'nearest' });
  return true;
}
