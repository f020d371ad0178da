import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadedWith } from '../../support/loaded-with.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** What few need, and none at its start; `node:http` comes by way of pkg/sockets/http.ts. */
const SLOW = ['node:http', 'node:https', 'node:tls'];

describe('the start of a process', () => {
  for (const file of ['cmd/server-manager/run.ts', 'cmd/load-balancer/run.ts', 'cmd/test-server/app.ts']) {
    it(`loads nothing with ${file} that takes long to load and can wait`, () => {
      const loaded = loadedWith(join(ROOT, file));
      assert.ok(loaded.has(join(ROOT, 'pkg/sockets/http.ts')), 'its imports are followed');
      assert.deepEqual(
        SLOW.filter((name) => loaded.has(name)),
        [],
      );
    });
  }
});
