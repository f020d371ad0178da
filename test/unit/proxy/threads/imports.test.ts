import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';

const WORKER = join(import.meta.dirname, '../../../../internal/proxy/threads/worker.ts');
/** Of a statement that loads something: what it imports, and from where. */
const STATEMENT = /^(?:import|export)\s+(?!type\b)(?:([^;']*?)\s+from\s+)?'([^']+)';/gm;

/** All modules that are loaded with this one, but those of heimdall. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, names = '', from = ''] of readFileSync(file, 'utf8').matchAll(STATEMENT)) {
    if (/^\{(?:\s*type\s[^,}]+,?)+\s*\}$/.test(names)) continue;
    if (from.startsWith('.')) loadedWith(join(dirname(file), from), seen);
    else seen.add(from);
  }
  return seen;
}

it('a thread of the load balancer loads nothing that takes long to load: a crashed one is replaced at once', () => {
  const loaded = [...loadedWith(WORKER)].filter((name) => !name.startsWith('/'));
  const allowed = ['node:worker_threads', 'node:buffer', 'node:crypto', 'node:net', 'node:events'];
  assert.deepEqual(loaded.sort(), allowed.sort());
});
