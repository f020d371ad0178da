import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lineFormat } from '../../../../internal/proxy/access-log/line-format.ts';
import type { RequestRecord } from '../../../../internal/proxy/engine.ts';
import { AT, attemptOf, failedAttempt, recordOf } from '../../../support/request-record.ts';

function lineIn(format: string, record: RequestRecord, headers: readonly string[] = []): string {
  return lineFormat({ format, headers })(record);
}

const NOT_SENT = { attempts: [], service: null, algorithm: undefined, status: 404, termination: 'no-route' } as const;

describe('a line of the access log', () => {
  it('is JSON with the last attempt beside the request', () => {
    const attempts = [attemptOf({ connectMs: 0.25, headMs: 1.2345, totalMs: 2 })];
    const record = recordOf({ attempts, totalMs: 2.001, receivedBytes: 3, sentBytes: 512 });
    assert.deepEqual(JSON.parse(lineIn('json', record)), {
      time: '2026-11-22T05:04:03.021Z',
      id: 'id-1',
      client: '10.0.0.1',
      method: 'GET',
      host: 'example.com',
      target: '/a?b',
      protocol: 'HTTP/1.1',
      status: 200,
      termination: 'completed',
      service: 'web',
      algorithm: 'least-time',
      attempts: 1,
      upstream: 'web-1',
      connectMs: 0.25,
      headMs: 1.235,
      queueMs: 0,
      totalMs: 2.001,
      receivedBytes: 3,
      sentBytes: 512,
    });
  });

  it('is JSON with the attempts that failed, and whatever else is seldom', () => {
    const last = attemptOf({ upstream: 'web-2', outcome: 'truncated: closed', afterMs: 7.5, weight: 0.5 });
    const record = recordOf({ attempts: [failedAttempt({ afterMs: 0.5 }), last], refusal: 'nobody' });
    const { failed, afterMs, attempts, upstream, outcome, weight, refusal } = JSON.parse(lineIn('json', record));
    assert.deepEqual(
      { afterMs, attempts, upstream, outcome, weight, refusal },
      { afterMs: 7.5, attempts: 2, upstream: 'web-2', outcome: 'truncated: closed', weight: 0.5, refusal: 'nobody' },
    );
    const failure = { upstream: 'web-1', afterMs: 0.5, connectMs: null, totalMs: 6 };
    assert.deepEqual(failed, [{ ...failure, outcome: 'connect-failed: ECONNREFUSED' }]);
  });

  it('is JSON also for what went to no upstream, or is no request', () => {
    const { service, upstream, headMs, attempts } = JSON.parse(lineIn('json', recordOf(NOT_SENT)));
    assert.deepEqual([service, upstream, headMs, attempts], [null, null, null, 0]);
    const unreadable = recordOf({ ...NOT_SENT, method: '', target: '', host: '', protocol: '', fields: null });
    assert.equal(JSON.parse(lineIn('json', unreadable, ['referer'])).method, '');
  });

  it('has the header fields that are asked for, and that there are', () => {
    const record = recordOf({}, { 'user-agent': 'curl' });
    assert.deepEqual(JSON.parse(lineIn('json', record, ['User-Agent', 'Referer'])).headers, { 'user-agent': 'curl' });
  });

  it('tells the trace of a request that has one', () => {
    const trace = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentId: null,
      spanId: 'b7ad6b7169203331',
      sampled: true,
    };
    const record = recordOf({ trace: { ...trace, state: '', attemptIds: [] } });
    assert.equal(JSON.parse(lineIn('json', record)).traceId, trace.traceId);
    assert.equal(lineIn('{traceId}', record), `${trace.traceId}\n`);
    assert.equal(lineIn('{traceId}', recordOf()), '-\n');
  });

  it('is of the common log format, and of the combined one', () => {
    const common = '10.0.0.1 - - [22/Nov/2026:05:04:03 +0000] "GET /a?b HTTP/1.1" 200 512';
    assert.equal(lineIn('common', recordOf({ sentBytes: 512 })), `${common}\n`);
    const record = recordOf({ sentBytes: 512 }, { 'user-agent': 'curl/8' });
    assert.equal(lineIn('combined', record), `${common} "-" "curl/8"\n`);
    const unreadable = recordOf({ ...NOT_SENT, status: 400, protocol: '' });
    assert.equal(lineIn('common', unreadable), '10.0.0.1 - - [22/Nov/2026:05:04:03 +0000] "-" 400 0\n');
  });

  it('follows a template', () => {
    const template =
      '{time} {id} {client} {method} {path} {target} {protocol} {host} {status} {termination} {refusal} {service} ' +
      '{algorithm} {upstream} {outcome} {attempts} {queueMs} {connectMs} {headMs} {totalMs} {receivedBytes} {sentBytes} é';
    const attempts = [attemptOf({ headMs: 1.5 })];
    const octets = Buffer.from(lineIn(template, recordOf({ attempts, queueMs: 0.0004 })), 'latin1').toString('utf8');
    assert.equal(
      octets,
      '2026-11-22T05:04:03.021Z id-1 10.0.0.1 GET /a /a?b HTTP/1.1 example.com 200 completed - web ' +
        'least-time web-1 completed 1 0 0 1.500 15 0 0 é\n',
    );
    const refused = lineIn('{service} {algorithm} {upstream} {outcome} {connectMs} {path}', recordOf(NOT_SENT));
    assert.equal(refused, '- - - - - /a\n');
    assert.equal(lineIn('{path}', recordOf({ target: '/whole' })), '/whole\n');
    assert.match(lineIn('{time.local}', recordOf()), /^\d\d:\d\d:03\.021\n$/);
  });

  it('tells times of requests that end out of order', () => {
    const format = lineFormat({ format: '{time}', headers: [] });
    const times = [AT, AT + 1_000, AT, AT - 61_000.5].map((at) => format(recordOf({ at })).slice(11, 23));
    assert.deepEqual(times, ['05:04:03.021', '05:04:04.021', '05:04:03.021', '05:03:02.020']);
  });
});

// A client writes what it likes into its request: ends of lines to forge other requests, quotes to forge fields, and
// codes that make the terminal of whoever reads the log do things.
describe('an attack by what is logged', () => {
  const evil = '/"} \\x\r\n{"status":200}\t\x1b]0;owned\x07\x7f\x9b2J\xff\xc3\xa9\u202e';
  const record = recordOf(
    { target: evil, method: evil, host: evil, client: evil, refusal: evil, attempts: [attemptOf({ outcome: evil })] },
    { referer: evil, 'user-agent': evil },
  );

  for (const format of [
    'json',
    'common',
    'combined',
    '{target} {host} {refusal} {outcome} "{request.header:referer}"',
  ]) {
    it(`stays within its field, in ASCII: ${format}`, () => {
      const line = lineIn(format, record, ['referer', 'user-agent']);
      assert.match(line, /^[ -~]+\n$/);
      if (format !== 'json') assert.doesNotMatch(line.replaceAll('"-"', ''), /[^\\]x22|\\"/);
    });
  }

  it('is read back from JSON as it was', () => {
    const latin = evil.slice(0, -1); // as it comes off a connection: one character per octet, here no UTF-8
    const parsed = JSON.parse(lineIn('json', recordOf({ target: latin }, { referer: latin }), ['referer']));
    assert.deepEqual([parsed.target, parsed.headers.referer], [latin, latin]);
  });

  it('does not end its quotes', () => {
    const line = lineIn('combined', recordOf({}, { referer: 'a" "b', 'user-agent': 'c\\' }));
    assert.ok(line.endsWith(' "a\\x22 \\x22b" "c\\x5C"\n'), line);
  });

  it('is told in the words of the client where it is UTF-8', () => {
    const octets = Buffer.from('/grüße/日本', 'utf8').toString('latin1');
    const line = lineIn('json', recordOf({ target: octets }));
    assert.match(line, /^[ -~]+\n$/);
    assert.equal(JSON.parse(line).target, '/grüße/日本');
    assert.equal(lineIn('{target}', recordOf({ target: octets.slice(0, 6) })), '/gr\\xC3\\xBC\\xC3\n');
  });
});
