import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfig } from '../../internal/config/load.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('the sample config.json', () => {
  it('is valid and starts three instances of the sample backend, the first on port 9001', async () => {
    const { config, path } = await loadConfig({ cwd: ROOT, env: {} });
    assert.equal(path, join(ROOT, 'config.json'));
    assert.equal(config.ports.from, 9001);
    assert.deepEqual([config.manager.port, config.proxy.port, config.proxy.admin.port], [7000, 8080, 8081]);
    const [web] = config.services;
    assert.deepEqual([web?.name, web?.instances, web?.cwd], ['web', 3, ROOT]);
    assert.deepEqual(web?.command, ['node', 'cmd/test-server/main.ts']);
  });
});
