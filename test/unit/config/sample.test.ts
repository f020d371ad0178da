import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crossCheck } from '../../../internal/config/cross-checks.ts';
import { sampleConfig } from '../../../internal/config/sample.ts';
import { ConfigSchema } from '../../../internal/config/schema.ts';

describe('sampleConfig', () => {
  it('runs three instances of the sample backend from port 9001 on', () => {
    const config = ConfigSchema.parse(sampleConfig('/opt/heimdall/test-server.js'));
    assert.deepEqual(crossCheck(config), []);
    assert.deepEqual(config.ports, { from: 9001, to: 9999 });
    const [web, ...others] = config.services;
    assert.deepEqual(others, []);
    assert.deepEqual([web?.name, web?.instances], ['web', 3]);
    assert.deepEqual(web?.command, ['node', '/opt/heimdall/test-server.js']);
  });
});
