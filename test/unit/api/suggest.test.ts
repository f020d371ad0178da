import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { suggest } from '../../../internal/api/suggest.ts';

const known = ['service', 'count', 'weight', 'port', 'version', 'env'];

describe('suggest', () => {
  it('names the nearest known word', () => {
    assert.equal(suggest('cuont', ['mount', 'counts', 'count']), ' (did you mean "count"?)');
    assert.equal(suggest('coun', known), ' (did you mean "count"?)');
    assert.equal(suggest('Services', known), ' (did you mean "service"?)');
    assert.equal(suggest('prt', known), ' (did you mean "port"?)');
  });

  it('is silent when nothing is near', () => {
    assert.equal(suggest('colour', known), '');
    assert.equal(suggest('sort', ['pool', 'env']), '');
    assert.equal(suggest('', known), '');
    assert.equal(suggest('x'.repeat(10_000), known), '');
  });
});
