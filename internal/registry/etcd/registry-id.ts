import { randomUUID } from 'node:crypto';
import { NAMES } from './names.ts';
import type { Store } from './store.ts';

/** Makes the registry's id unless there is one: whoever comes first. */
export async function ensureId(store: Store): Promise<void> {
  const { entry } = await store.get(NAMES.id);
  if (entry !== null) return;
  const write = { put: NAMES.id, value: randomUUID() };
  // When others are quicker, or the answer is lost, there is one, too.
  await store.commit([{ name: NAMES.id, created: 0 }], [write]).catch(() => undefined);
}
