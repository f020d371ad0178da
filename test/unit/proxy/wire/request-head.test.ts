import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refusalFor } from '../../../../internal/proxy/wire/refusals.ts';
import { readRequest, type RequestHead, type RequestReason } from '../../../../internal/proxy/wire/request-head.ts';
import { parsedHead } from '../../../support/wire-head.ts';

function read(
  line: string,
  fields: readonly string[] = [],
  maxBody: number | null = null,
): RequestHead | RequestReason {
  return readRequest(parsedHead('request', `${[line, ...fields].join('\r\n')}\r\n\r\n`), maxBody);
}

function accepted(line: string, fields: readonly string[] = []): RequestHead {
  const request = read(line, fields);
  assert.ok(typeof request === 'object', `${line} is refused: ${JSON.stringify(request)}`);
  return request;
}

/** The reason for which a POST to host `a` with these fields is refused. */
function refusal(...fields: string[]): RequestReason {
  const request = read('POST / HTTP/1.1', ['Host: a', ...fields]);
  assert.ok(typeof request === 'string', `${JSON.stringify(fields)} are accepted`);
  return request;
}

describe('a request has', () => {
  it('no body, one of a length, or one in chunks', () => {
    const framing = (...fields: string[]) => {
      const { chunked, length } = accepted('POST / HTTP/1.1', ['Host: a', ...fields]);
      return [chunked, length];
    };
    assert.deepEqual(framing(), [false, 0]);
    assert.deepEqual(framing('Content-Length: 0'), [false, 0]);
    assert.deepEqual(framing('Content-Length: 007'), [false, 7]);
    assert.deepEqual(framing('content-length:\t123456789012345 '), [false, 123_456_789_012_345]);
    assert.deepEqual(framing('Transfer-Encoding: Chunked'), [true, -1]);
  });

  it('a length within its limit', () => {
    const fields = ['Host: a', 'Content-Length: 10'];
    assert.equal(typeof read('POST / HTTP/1.1', fields, 10), 'object');
    assert.equal(read('POST / HTTP/1.1', fields, 9), 'body-too-large');
  });

  it('a target and a host, in the origin form, the absolute form, and that of OPTIONS', () => {
    const named = (line: string, ...fields: string[]) => {
      const { target, host } = accepted(line, fields);
      return [target, host];
    };
    assert.deepEqual(named('GET /a//b?c=%2e#'.slice(0, -1).concat(' HTTP/1.1'), 'Host: x:80'), ['/a//b?c=%2e', 'x:80']);
    assert.deepEqual(named('GET //x/../y HTTP/1.1', 'Host: a'), ['//x/../y', 'a']);
    assert.deepEqual(named('GET http://A:8080/b?c HTTP/1.1', 'Host: a:8080'), ['/b?c', 'A:8080']);
    assert.deepEqual(named('GET http://a?c HTTP/1.1', 'Host: a'), ['/?c', 'a']);
    assert.deepEqual(named('GET http://a HTTP/1.0'), ['/', 'a']);
    assert.deepEqual(named('OPTIONS * HTTP/1.1', 'Host: a'), ['*', 'a']);
    assert.deepEqual(named('OPTIONS http://a HTTP/1.1', 'Host: a'), ['*', 'a']);
    assert.deepEqual(named('GET / HTTP/1.0'), ['/', '']);
    assert.deepEqual(named('GET / HTTP/1.1', 'Host:'), ['/', '']);
    assert.deepEqual(named('GET / HTTP/1.1', 'Host: [::1]:80'), ['/', '[::1]:80']);
  });

  it('a connection that lasts, unless its version or its fields say otherwise', () => {
    const lasts = (version: string, ...fields: string[]) =>
      accepted(`GET / HTTP/1.${version}`, ['Host: a', ...fields]).keepAlive;
    assert.equal(lasts('1'), true);
    assert.equal(lasts('1', 'Connection: x, Close'), false);
    assert.equal(lasts('1', 'Connection: x', 'Connection: close'), false);
    assert.equal(lasts('0'), false);
    assert.equal(lasts('0', 'Connection: keep-alive'), true);
    assert.equal(lasts('0', 'Connection: keep-alive, close'), false);
    assert.equal(lasts('0', 'Keep-Alive: 300'), false);
  });

  it('an expectation only where a body is to come', () => {
    const expects = (line: string, ...fields: string[]) =>
      accepted(line, ['Host: a', 'Expect: 100-Continue', ...fields]).expectsContinue;
    assert.equal(expects('POST / HTTP/1.1', 'Content-Length: 1'), true);
    assert.equal(expects('POST / HTTP/1.1'), false);
    assert.equal(expects('POST / HTTP/1.0', 'Content-Length: 1'), false);
  });

  // h2c smuggling: after an upgrade to HTTP/2 the client's requests pass the proxy in a tunnel, past all its rules.
  it('an upgrade, if it names one protocol that is not HTTP/2, and has no body', () => {
    const upgrade = (line: string, ...fields: string[]) => accepted(line, ['Host: a', ...fields]).upgrade;
    assert.equal(upgrade('GET / HTTP/1.1', 'Connection: keep-alive, Upgrade', 'Upgrade: websocket'), 'websocket');
    assert.equal(upgrade('GET / HTTP/1.1', 'Upgrade: websocket'), null);
    assert.equal(upgrade('GET / HTTP/1.1', 'Connection: Upgrade'), null);
    assert.equal(upgrade('GET / HTTP/1.1', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: H2C'), null);
    assert.equal(upgrade('GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket, h2c'), null);
    assert.equal(upgrade('GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c'), null);
    assert.equal(upgrade('GET / HTTP/1.0', 'Connection: Upgrade', 'Upgrade: websocket'), null);
    assert.equal(upgrade('GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 4'), null);
  });
});

describe('a request is refused', () => {
  // CL.TE and TE.CL: proxy and backend each believe another of two fields, and disagree where the body ends.
  it('with a length and a coding, in whatever order or form', () => {
    for (const length of ['0', '5', '', 'x', '+1']) {
      assert.equal(refusal(`Content-Length: ${length}`, 'Transfer-Encoding: chunked'), 'length-and-transfer-encoding');
      assert.equal(refusal('transfer-encoding: CHUNKED', `content-length: ${length}`), 'length-and-transfer-encoding');
      assert.equal(refusal('Transfer-Encoding:', `Content-Length: ${length}`), 'length-and-transfer-encoding');
    }
  });

  // TE.TE: one of the two sees through the disguise of a coding, the other takes the body for one of no coding.
  it('with any coding but one "chunked"', () => {
    const unknown = [
      'gzip, chunked',
      'xchunked',
      'chunkedx',
      ',chunked',
      '',
      'identity',
      '"chunked"',
      'x;chunked',
      'chunked;q=1',
    ];
    for (const coding of unknown)
      assert.equal(refusal(`Transfer-Encoding: ${coding}`), 'transfer-encoding-unknown', coding);
    assert.equal(refusal('Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'), 'transfer-encoding-unknown');
    for (const coding of ['chunked, gzip', 'chunked, chunked', 'chunked,', 'Chunked ,identity']) {
      assert.equal(refusal(`Transfer-Encoding: ${coding}`), 'chunked-not-last', coding);
    }
    assert.equal(refusal('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), 'chunked-not-last');
    assert.equal(refusal('Transfer-Encoding: chunked', 'Transfer-Encoding: identity'), 'chunked-not-last');
    const chunked10 = read('POST / HTTP/1.0', ['Host: a', 'Transfer-Encoding: chunked']);
    assert.equal(chunked10, 'transfer-encoding-in-http-1.0');
  });

  // Of two lengths one program takes the first, the other the last; of an odd one each takes another part.
  it('with more than one length, or one that is no plain number', () => {
    assert.equal(refusal('Content-Length: 5', 'Content-Length: 5'), 'length-repeated');
    assert.equal(refusal('Content-Length: 5', 'content-length: 6'), 'length-repeated');
    const odd = [
      '+1',
      '-1',
      '1,1',
      '1, 1',
      '1 1',
      '0x1',
      '1e3',
      '1.0',
      '',
      '1;',
      '"1"',
      '1_0',
      '\xb2',
      '1\xa0',
      '1'.repeat(16),
    ];
    for (const length of odd) assert.equal(refusal(`Content-Length: ${length}`), 'length-invalid', length);
  });

  // Routing and caching by one host, answering by another: the request is served under somebody else's name.
  it('without one valid host that the target agrees with', () => {
    assert.equal(read('GET / HTTP/1.1'), 'host-missing');
    assert.equal(refusal('Host: b'), 'host-repeated');
    assert.equal(refusal('Host: a'), 'host-repeated');
    for (const host of [
      'a b',
      'a, b',
      'a/b',
      'u@a',
      'a?b',
      'a#b',
      'a:b',
      'a:1:2',
      'a:123456',
      '[::1',
      '[x]',
      'a\xe9',
      'http://a',
      'a\\b',
      '<a>',
    ]) {
      assert.equal(read('GET / HTTP/1.1', [`Host: ${host}`]), 'host-invalid', host);
    }
    assert.equal(read('GET http://b/ HTTP/1.1', ['Host: a']), 'host-mismatch');
    assert.equal(read('GET http://a:80/ HTTP/1.1', ['Host: a']), 'host-mismatch');
    assert.equal(read('GET http://a/ HTTP/1.1'), 'host-missing');
  });

  it('with a target of no known form', () => {
    const targets = [
      'a',
      '*',
      'http:/a',
      'http://',
      'http:///a',
      'ftp://a/',
      'http://u@a/',
      'a:80',
      '?x',
      'http://[::1/',
      '\\a',
    ];
    for (const target of targets) {
      assert.equal(read(`GET ${target} HTTP/1.1`, ['Host: a']), 'target-form-invalid', target);
    }
    assert.equal(read('CONNECT a:443 HTTP/1.1', ['Host: a:443']), 'connect-refused');
  });

  it('with the status that tells why', () => {
    const statuses: Readonly<Record<number, readonly RequestReason[]>> = {
      400: [
        'bare-lf',
        'line-folding',
        'host-missing',
        'length-and-transfer-encoding',
        'chunked-not-last',
        'length-repeated',
      ],
      413: ['body-too-large'],
      414: ['target-too-long'],
      431: ['head-too-large', 'too-many-fields'],
      501: ['transfer-encoding-unknown', 'connect-refused'],
      505: ['version-unsupported'],
    };
    for (const [status, reasons] of Object.entries(statuses)) {
      for (const reason of reasons) assert.equal(refusalFor(reason).status, Number(status), reason);
    }
  });
});
