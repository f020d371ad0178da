import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseWrkOutput } from '../../bench/load/wrk-report.ts';

const ERRORS = { connect: 0, read: 0, write: 0, timeout: 0, status: 0 };
const REPORT = { requests: 120_000, durationUs: 4_000_100, p50Us: 910, p90Us: 1_400, p99Us: 2_050, errors: ERRORS };

const outputOf = (report: object) => `Running 4s test @ http://127.0.0.1:1/
  1 threads and 64 connections
    Latency     1.00ms  200.00us   3.00ms   70.00%
  120000 requests in 4.00s, 12.00MB read
${JSON.stringify(report)}
`;

describe('the output of wrk', () => {
  it('is read from the line that the script has added', () => {
    assert.deepEqual(parseWrkOutput(outputOf(REPORT)), REPORT);
  });

  for (const kind of Object.keys(ERRORS)) {
    it(`is refused when there were errors of the kind "${kind}", which it counts`, () => {
      const report = { ...REPORT, errors: { ...ERRORS, [kind]: 3 } };
      assert.throws(() => parseWrkOutput(outputOf(report)), new RegExp(`failed requests: 3 ${kind}`));
    });
  }

  it('is refused when nothing was answered', () => {
    assert.throws(() => parseWrkOutput(outputOf({ ...REPORT, requests: 0 })), /not one request/);
  });

  it('is refused without a report, and tells what wrk said instead', () => {
    assert.throws(() => parseWrkOutput('unable to connect to 127.0.0.1:1\n'), /unable to connect/);
    assert.throws(() => parseWrkOutput(''), /no output/);
  });
});
