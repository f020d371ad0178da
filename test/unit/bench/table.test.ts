import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { caseTable, toMarkdown, toText } from '../../bench/report/table.ts';
import { resultOf } from './results.ts';

const RESULT = resultOf('small-64', {
  'wire-1': { requestsPerSecond: 61_234.5, cpuUs: 12 },
  haproxy: { requestsPerSecond: 65_000, cpuUs: 10 },
  caddy: null,
});

describe('the table of a case', () => {
  it('has a row for each subject, with its ratio to the baseline, and dashes for what was not measured', () => {
    assert.deepEqual(caseTable(RESULT), [
      ['', 'requests/s', 'CPU', 'CPU × HAProxy'],
      ['wire-1', '61,235', '12.0', '1.20'],
      ['haproxy', '65,000', '10.0', '1.00'],
      ['caddy', '–', '–', '–'],
    ]);
  });

  it('has ratios of pairs with the interval that they are in', () => {
    const samples = [1.01, 1.02, 1.03, 1.05, 1.06, 1.07].map((ratio) => ({ ratio }));
    const rows = [{ subject: 'json', baseline: 'json', median: { ratio: 1.04 }, samples, problems: [] }];
    const result = { ...RESULT, columns: [], ratio: { metric: 'ratio', title: 'of pairs', isPaired: true }, rows };
    assert.deepEqual(caseTable(result)[1], ['json', '1.04 (1.01–1.07)']);
  });

  it('is set in columns of even width for a terminal', () => {
    const table = [
      ['', 'requests/s', 'x'],
      ['wire-1', '61,235', '1.20'],
    ];
    assert.equal(toText(table), '        requests/s     x\nwire-1      61,235  1.20');
  });

  it('is a table of Markdown for the documentation', () => {
    const table = [
      ['', 'x'],
      ['wire-1', '1.20'],
    ];
    assert.equal(toMarkdown(table), '|  | x |\n| --- | ---: |\n| wire-1 | 1.20 |');
  });
});
