import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Of a statement that loads something: what it imports, and from where. */
const STATEMENT = /^(?:import|export)\s+(?!type\b)(?:([^;']*?)\s+from\s+)?'([^']+)';/gm;

/** What is loaded with this file before it runs: paths of heimdall's own modules, names of all others. */
export function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, names = '', from = ''] of readFileSync(file, 'utf8').matchAll(STATEMENT)) {
    if (/^\{(?:\s*type\s[^,}]+,?)+\s*\}$/.test(names)) continue;
    if (from.startsWith('.')) loadedWith(join(dirname(file), from), seen);
    else seen.add(from);
  }
  return seen;
}
