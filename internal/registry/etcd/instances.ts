import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import { FORM, type InstanceEntry } from './forms.ts';
import type { Entry } from './store.ts';

/** An instance as it is kept. */
export interface KeptInstance extends InstanceEntry {
  readonly entry: Entry;
}

export function keptInstances(mirror: Mirror): KeptInstance[] {
  return Array.from(mirror.all('instances').values(), keptOf);
}

export function keptInstance(mirror: Mirror, id: string): KeptInstance | null {
  for (const entry of mirror.all('instances').values()) {
    const kept = keptOf(entry);
    if (kept.instance.id === id) return kept;
  }
  return null;
}

export function keptInstanceAt(mirror: Mirror, host: string, port: number): KeptInstance | null {
  const entry = mirror.get(NAMES.instance(host, port));
  return entry && keptOf(entry);
}

function keptOf(entry: Entry): KeptInstance {
  return { ...valueOf(FORM.instance, entry), entry };
}
