import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { managerUrlOf } from '../../../internal/config/manager-url.ts';
import { ConfigSchema } from '../../../internal/config/schema.ts';

function urlOf(config: object): string | null {
  return managerUrlOf(ConfigSchema.parse(config));
}

describe('where the managers of other nodes reach one', () => {
  it('is nowhere, when it listens where only its own machine calls', () => {
    assert.equal(urlOf({}), null);
    assert.equal(urlOf({ manager: { host: '0.0.0.0' } }), null, 'nobody knows under which address');
  });

  it('is its address, or that of the node when it listens on all', () => {
    assert.equal(urlOf({ manager: { host: '10.0.0.5', port: 7100 } }), 'http://10.0.0.5:7100');
    assert.equal(urlOf({ manager: { host: '::' }, node: { address: 'fd00::5' } }), 'http://[fd00::5]:7000');
  });

  it('is what the configuration says', () => {
    assert.equal(urlOf({ manager: { url: 'https://a.example.org/heimdall' } }), 'https://a.example.org/heimdall');
  });
});
