import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Handle } from '../../../../internal/registry/sqlite/handle.ts';
import { readSamples, writeSample } from '../../../../internal/registry/sqlite/samples.ts';
import { sample } from '../../../support/traffic-sample.ts';

describe('samples in SQLite', () => {
  it('are all kept for a quarter of an hour, and left out when they cannot be read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heimdall-samples-'));
    const handle = new Handle({ path: join(folder, 'registry.db'), create: true, checkpointPages: 1_000 });
    try {
      const samples = Array.from({ length: 61 }, (_, at) => {
        return sample({ from: 15_000 * at, until: 15_000 * (at + 1), requests: at, inFlight: at });
      });
      for (const each of samples) writeSample(handle, each);
      assert.deepEqual(readSamples(handle, 0), samples);
      writeSample(handle, sample({ from: 930_000, until: 945_000 }));
      assert.deepEqual(readSamples(handle, 0).slice(0, -1), samples.slice(2), 'two are too old');
      handle.run("UPDATE traffic_samples SET body = '{' WHERE begins_at = 30000");
      handle.run(`UPDATE traffic_samples SET body = '{"services":[["web"]],"instances":[]}' WHERE begins_at = 45000`);
      assert.deepEqual(readSamples(handle, 0).slice(0, -1), samples.slice(4));
    } finally {
      handle.close();
      await rm(folder, { recursive: true });
    }
  });
});
