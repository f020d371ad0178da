import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { framingFields } from '../../../internal/health/framing-fields.ts';

const NOTHING = { codings: [], lengths: [], closes: false, isCoded: false };

describe('the fields that frame a body', () => {
  it('are found in any case and order, and each as often as it stands there', () => {
    const fields =
      'Server: x\r\nCONTENT-LENGTH:1\r\nTransfer-Encoding: gzip\r\ncontent-length: 2\r\ntransfer-encoding:\r\n';
    assert.deepEqual(framingFields(`HTTP/1.1 200 OK\r\n${fields}`), {
      ...NOTHING,
      codings: ['gzip', ''],
      lengths: ['1', '2'],
    });
  });

  it('are no others that begin or end alike, or stand in their values', () => {
    const fields = 'Content-Length-Max: 1\r\nX-Content-Length: 2\r\nTrailer: x\r\nVary: Content-Length: 3\r\nC\r\n';
    assert.deepEqual(framingFields(fields), NOTHING);
    assert.deepEqual(framingFields('Content-Length : 1\r\nContent-Length\r\n:2\r\n'), NOTHING);
  });

  it('end with CRLF', () => {
    assert.deepEqual(framingFields('Content-Length: 1\nTransfer-Encoding: chunked'), NOTHING);
  });

  // Anything else around a number makes one recipient read a length where another reads none.
  it('lose spaces and tabs around their value, and nothing else', () => {
    assert.deepEqual(framingFields('Content-Length: \t 1 2 \t\r\n').lengths, ['1 2']);
    assert.deepEqual(framingFields('Content-Length: \xa01\x0b\r\n').lengths, ['\xa01\x0b']);
  });

  it('say when the connection ends, in one line or in several', () => {
    for (const line of ['close', 'Close', 'x, close', 'close , x', '\tclose', 'x\r\nConnection: close']) {
      assert.equal(framingFields(`Connection: ${line}\r\n`).closes, true, line);
    }
    for (const line of ['keep-alive', 'closed', 'not close', 'close-not', '']) {
      assert.equal(framingFields(`Connection: ${line}\r\n`).closes, false, line);
    }
  });

  it('say when the body is coded', () => {
    assert.equal(framingFields('Content-Encoding: br\r\n').isCoded, true);
    assert.equal(framingFields('Content-Encoding: Identity\r\nContent-Encoding:\r\n').isCoded, false);
  });
});
