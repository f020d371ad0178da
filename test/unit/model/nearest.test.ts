import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearest } from '../../../internal/model/nearest.ts';

const KEYS = ['host', 'port', 'path', 'interval', 'timeout', 'healthCheck', 'service', 'count', 'env'];

describe('nearest', () => {
  it('finds the word behind a slip', () => {
    assert.equal(nearest('intervall', KEYS), 'interval');
    assert.equal(nearest('prot', KEYS), 'port');
    assert.equal(nearest('prt', KEYS), 'port');
    assert.equal(nearest('time_out', KEYS), 'timeout');
    assert.equal(nearest('coun', KEYS), 'count');
  });

  it('takes upper and lower case as equal', () => {
    assert.equal(nearest('healthcheck', KEYS), 'healthCheck');
    assert.equal(nearest('Services', KEYS), 'service');
  });

  it('prefers the word with the fewest slips', () => {
    assert.equal(nearest('cuont', ['mount', 'counts', 'count']), 'count');
  });

  it('keeps silent when nothing is close', () => {
    assert.equal(nearest('threads', KEYS), undefined);
    assert.equal(nearest('colour', KEYS), undefined);
    assert.equal(nearest('sort', ['pool', 'env']), undefined);
    assert.equal(nearest('', KEYS), undefined);
    assert.equal(nearest('x', []), undefined);
    assert.equal(nearest('x'.repeat(10_000), KEYS), undefined);
  });
});
