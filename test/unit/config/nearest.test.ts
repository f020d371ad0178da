import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearest } from '../../../internal/config/nearest.ts';

const KEYS = ['host', 'port', 'path', 'interval', 'timeout', 'healthCheck'];

describe('nearest', () => {
  it('finds the word behind a slip', () => {
    assert.equal(nearest('intervall', KEYS), 'interval');
    assert.equal(nearest('prot', KEYS), 'port');
    assert.equal(nearest('healthcheck', KEYS), 'healthCheck');
    assert.equal(nearest('time_out', KEYS), 'timeout');
  });

  it('keeps silent when nothing is close', () => {
    assert.equal(nearest('threads', KEYS), undefined);
    assert.equal(nearest('x', []), undefined);
  });
});
