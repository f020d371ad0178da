import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readResponse } from '../../../../internal/proxy/wire/response-head.ts';
import { parsedHead } from '../../../support/wire-head.ts';

function read(line: string, fields: readonly string[] = [], method = 'GET') {
  return readResponse(parsedHead('response', `${[line, ...fields].join('\r\n')}\r\n\r\n`), method);
}

function framing(line: string, fields: readonly string[] = [], method = 'GET'): readonly [string, number, boolean] {
  const response = read(line, fields, method);
  assert.ok(typeof response === 'object', `${line} is refused: ${JSON.stringify(response)}`);
  return [response.framing, response.length, response.keepAlive];
}

describe('a response', () => {
  it('has a body of a length, in chunks, or up to the end of its connection', () => {
    assert.deepEqual(framing('HTTP/1.1 200 OK', ['Content-Length: 5']), ['length', 5, true]);
    assert.deepEqual(framing('HTTP/1.1 200 OK', ['Content-Length: 0']), ['none', 0, true]);
    assert.deepEqual(framing('HTTP/1.1 200 OK', ['Transfer-Encoding: chunked']), ['chunked', 0, true]);
    assert.deepEqual(framing('HTTP/1.1 200 OK'), ['until-close', 0, false]);
    assert.deepEqual(framing('HTTP/1.1 200 OK', ['Connection: keep-alive']), ['until-close', 0, false]);
  });

  it('has none after HEAD, with 204 and with 304, whatever its fields say', () => {
    for (const fields of [['Content-Length: 5'], ['Transfer-Encoding: chunked'], []]) {
      assert.deepEqual(framing('HTTP/1.1 200 OK', fields, 'HEAD'), ['none', 0, true]);
      assert.deepEqual(framing('HTTP/1.1 204 No Content', fields), ['none', 0, true]);
      assert.deepEqual(framing('HTTP/1.1 304 Not Modified', fields), ['none', 0, true]);
    }
  });

  it('leaves a connection that can be used again, unless its version or its fields say otherwise', () => {
    const lasts = (version: string, ...fields: string[]) =>
      framing(`HTTP/1.${version} 200 OK`, ['Content-Length: 1', ...fields])[2];
    assert.equal(lasts('1'), true);
    assert.equal(lasts('1', 'Connection: a, CLOSE'), false);
    assert.equal(lasts('0'), false);
    assert.equal(lasts('0', 'Connection: Keep-Alive'), true);
  });

  // Response smuggling: what one program takes for the end of a body is the middle of it for another, and the rest
  // becomes the response to somebody else's request.
  it('is refused when its end can be read in two ways', () => {
    assert.equal(read('HTTP/1.1 200 OK', ['Content-Length: 5', 'Content-Length: 6']), 'length-repeated');
    assert.equal(read('HTTP/1.1 200 OK', ['Content-Length: 5', 'Content-Length: 5']), 'length-repeated');
    assert.equal(read('HTTP/1.1 200 OK', ['Content-Length: 5, 5']), 'length-invalid');
    assert.equal(read('HTTP/1.1 200 OK', ['Content-Length: -5']), 'length-invalid');
    const both = ['Content-Length: 5', 'Transfer-Encoding: chunked'];
    assert.equal(read('HTTP/1.1 200 OK', both), 'length-and-transfer-encoding');
    assert.equal(read('HTTP/1.1 200 OK', ['Transfer-Encoding: gzip, chunked']), 'transfer-encoding-unknown');
    assert.equal(read('HTTP/1.1 200 OK', ['Transfer-Encoding: chunked, gzip']), 'chunked-not-last');
    assert.equal(read('HTTP/1.0 200 OK', ['Transfer-Encoding: chunked']), 'transfer-encoding-in-http-1.0');
  });

  it('is refused so even where it has no body: the fields still go on to the client', () => {
    assert.equal(read('HTTP/1.1 200 OK', ['Content-Length: 5', 'Content-Length: 6'], 'HEAD'), 'length-repeated');
    assert.equal(read('HTTP/1.1 304 Not Modified', ['Content-Length: 5, 6']), 'length-invalid');
  });
});
