import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadedWith } from '../../../support/loaded-with.ts';

const WORKER = join(import.meta.dirname, '../../../../internal/proxy/threads/worker.ts');

it('a thread of the load balancer loads nothing that takes long to load: a crashed one is replaced at once', () => {
  const loaded = [...loadedWith(WORKER)].filter((name) => !name.startsWith('/'));
  const allowed = ['node:worker_threads', 'node:buffer', 'node:crypto', 'node:net', 'node:events'];
  assert.deepEqual(loaded.sort(), allowed.sort());
});
