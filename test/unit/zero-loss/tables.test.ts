import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Measured } from '../../zero-loss/measured.ts';
import { actTable, kindTable, sumTable } from '../../zero-loss/tables.ts';

const QUIET: Measured = {
  peer: 'one',
  about: '',
  version: '1',
  visits: { GET: { all: 4_000, failed: 0 }, 'GET, sticky': { all: 1_000, failed: 0 } },
  acts: { deploy: 3, 'pause and resume': 1 },
  leftOut: [],
  failures: [],
  faults: [],
  examples: [],
};
const LOUD: Measured = {
  ...QUIET,
  peer: 'two',
  visits: { GET: { all: 2_000, failed: 3 } },
  acts: { deploy: 2 },
  leftOut: ['pause and resume'],
  failures: [
    { kind: 'GET', sort: 'connection reset', act: 'deploy', count: 2 },
    { kind: 'GET', sort: 'status 5xx', act: 'scale', count: 1 },
  ],
};

const rowOf = (table: readonly (readonly string[])[], name: string) => table.find(([first]) => first === name);

describe('the tables of the comparison', () => {
  it('have a column for each peer', () => {
    for (const table of [sumTable, kindTable, actTable]) {
      assert.deepEqual(table([QUIET, LOUD])[0]?.slice(1), ['one', 'two']);
    }
  });

  it('sum up visits, acts and failures, by how those failed', () => {
    const table = sumTable([QUIET, LOUD]);
    assert.deepEqual(rowOf(table, 'visits'), ['visits', '5,000', '2,000']);
    assert.deepEqual(rowOf(table, 'acts'), ['acts', '4', '2']);
    assert.deepEqual(rowOf(table, 'failed'), ['failed', '0', '3']);
    assert.deepEqual(rowOf(table, 'failed of 10,000'), ['failed of 10,000', '0.0', '15.0']);
    assert.deepEqual(rowOf(table, 'connection reset'), ['connection reset', '0', '2']);
  });

  it('tell visits that a peer never gets from visits that went well', () => {
    const table = kindTable([QUIET, LOUD]);
    assert.deepEqual(rowOf(table, 'GET'), ['GET', '0 / 4,000', '3 / 2,000']);
    assert.deepEqual(rowOf(table, 'GET, sticky'), ['GET, sticky', '0 / 1,000', '–']);
  });

  it('tell an act that a peer cannot do from one that was not drawn', () => {
    const table = actTable([QUIET, LOUD]);
    assert.deepEqual(rowOf(table, 'deploy'), ['deploy', '0 / 3', '2 / 2']);
    assert.deepEqual(rowOf(table, 'scale'), ['scale', '0 / 0', '1 / 0']);
    assert.deepEqual(rowOf(table, 'pause and resume'), ['pause and resume', '0 / 1', '–']);
  });
});
