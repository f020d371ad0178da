import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { reasonOf, responseFault } from '../../../../internal/proxy/middleware/response-check.ts';

function response(statusCode: number, rawHeaders: string[] = [], statusMessage = 'OK'): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { statusCode, rawHeaders, statusMessage });
}

describe('the check of a response', () => {
  it('finds a fault in statuses that no final response has', () => {
    for (const status of [200, 204, 304, 404, 599, 999]) assert.equal(responseFault(response(status)), null);
    for (const status of [0, 99, 100, 101, 199]) assert.match(responseFault(response(status)) ?? '', /status/);
  });

  // The coding is taken off the head as hop-by-hop: what it left in the body would pass for the content.
  it('finds a fault in transfer codings that nobody undoes', () => {
    assert.equal(responseFault(response(200, ['Transfer-Encoding', 'Chunked'])), null);
    for (const coding of ['gzip, chunked', 'gzip', 'chunked, chunked', 'identity', '']) {
      assert.match(responseFault(response(200, ['Transfer-Encoding', coding])) ?? '', /coding/, coding);
    }
    const twice = ['Transfer-Encoding', 'chunked', 'transfer-encoding', 'chunked'];
    assert.match(responseFault(response(200, twice)) ?? '', /coding/);
  });

  it('takes control characters out of the reason phrase', () => {
    assert.equal(reasonOf(response(200, [], 'O\x00\x01K\x7f\t\xe9')), 'OK\t\xe9');
  });
});
