import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bytesText,
  countText,
  latencyText,
  momentText,
  percentText,
  plural,
  spanText,
} from '../../../internal/dashboard/format.ts';

describe('figures of the dashboard', () => {
  it('count in as many digits as tell something', () => {
    const texts = [0, 0.01, 0.4, 3.44, 9.96, 12, 1_280, 12_800, 999_949, 1_250_000].map(countText);
    assert.deepEqual(texts, ['0', '<0.1', '0.4', '3.4', '10', '12', '1,280', '12.8k', '999.9k', '1.3M']);
  });

  it('tell a share that is small from none', () => {
    const texts = [null, 0, 0.0004, 0.004, 0.0996, 0.125, 1].map(percentText);
    assert.deepEqual(texts, ['–', '0 %', '<0.1 %', '0.4 %', '10 %', '13 %', '100 %']);
  });

  it('write times with the unit that fits', () => {
    const texts = [null, 0, 0.04, 3.24, 9.96, 120, 999.6, 1_254, 12_540].map(latencyText);
    assert.deepEqual(texts, ['–', '0 ms', '<0.1 ms', '3.2 ms', '10 ms', '120 ms', '1.00 s', '1.25 s', '12.5 s']);
  });

  it('write spans in two units', () => {
    const texts = [-5, 4_900, 60_000, 125_000, 11_400_000, 180_000_000].map(spanText);
    assert.deepEqual(texts, ['0 s', '4 s', '1 min', '2 min 5 s', '3 h 10 min', '2 d 2 h']);
  });

  it('write the date of what was not today', () => {
    const now = '2026-01-02T12:00:00';
    assert.equal(momentText('2026-01-02T08:05:09', now), '08:05:09');
    assert.equal(momentText('2025-12-31T08:05:09', now), '31/12/2025 08:05:09');
  });

  it('write sizes, and nouns in their number', () => {
    assert.deepEqual([null, 2_048, 84 * 1024 ** 2, 1.5 * 1024 ** 3].map(bytesText), ['–', '2 kB', '84 MB', '1.5 GB']);
    assert.deepEqual([plural(1, 'request'), plural(0, 'request')], ['1 request', '0 requests']);
  });
});
