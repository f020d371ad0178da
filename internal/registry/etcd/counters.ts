import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import { FORM } from './forms.ts';
import type { Guard, Write } from './store.ts';

/** The next number of its kind, and what makes sure that nobody else gets it. */
export function nextNumber(
  mirror: Mirror,
  of: string,
): { readonly number: number; readonly guard: Guard; readonly write: Write } {
  const name = NAMES.counter(of);
  const entry = mirror.get(name);
  const number = entry === null ? 1 : valueOf(FORM.number, entry) + 1;
  return { number, guard: { name, modified: entry?.modified ?? 0 }, write: { put: name, value: number } };
}
