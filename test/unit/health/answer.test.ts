import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Answer } from '../../../internal/health/answer.ts';
import { HealthCheckSchema } from '../../../internal/model/health-check.ts';

/** The verdict in words, `more` while there is none: the same for the text in one piece and for single octets. */
function judge(text: string, changes: Record<string, unknown> = {}): string {
  const check = HealthCheckSchema.parse(changes);
  const verdicts = [[text], [...text]].map((pieces) => {
    const answer = new Answer(check);
    for (const piece of pieces) {
      const verdict = answer.read(piece);
      if (verdict) return verdict.passed ? `passed ${verdict.detail}` : verdict.detail;
    }
    return 'more';
  });
  assert.equal(verdicts[0], verdicts[1]);
  return verdicts[0] ?? '';
}

function judgeEnd(text: string, reset: boolean, changes: Record<string, unknown> = {}): string {
  const answer = new Answer(HealthCheckSchema.parse(changes));
  assert.equal(answer.read(text), null);
  return answer.end(reset).detail;
}

describe('an answer', () => {
  it('is judged by its status once its head is complete', () => {
    assert.equal(judge('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n'), 'more');
    assert.equal(judge('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'), 'passed 200');
    assert.equal(judge('HTTP/1.0 503 Service Unavailable\r\n\r\n'), 'status 503');
  });

  it('needs no reason phrase', () => {
    assert.equal(judge('HTTP/1.1 204\r\n\r\n'), 'passed 204');
    assert.equal(judge('HTTP/1.1 204 \r\n\r\n'), 'passed 204');
  });

  it('is the one after the interim answers, and 101 is none of them', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    assert.equal(judge(interim), 'more');
    assert.equal(judge(`${interim}HTTP/1.1 200 OK\r\n\r\n`), 'passed 200');
    assert.equal(judge('HTTP/1.1 101 Switching Protocols\r\n\r\n'), 'status 101');
  });

  it('is refused when its first line is no status line, with how it begins', () => {
    for (const line of [
      'HTTP/2 200',
      'HTTP/1.2 200 OK',
      'HTTP/1.1 20 OK',
      'HTTP/1.1 2000 OK',
      'HTTP/1.1  200 OK',
      'HTTP/1.1 099 OK',
      'HTTP/1.1 200OK',
      'http/1.1 200 OK',
    ]) {
      const answer = new Answer(HealthCheckSchema.parse({}));
      assert.equal(answer.read(`${line}\r\n\r\n`)?.detail, `not an HTTP response ("${line}")`);
    }
    assert.match(judge('HTTP/1.1 200 OK\n\n'), /^not an HTTP response/); // bare line feeds
  });

  it('that is not HTTP is not waited for, and nothing of it can act on a terminal', () => {
    const answer = new Answer(HealthCheckSchema.parse({}));
    assert.equal(answer.read('\x1b[2J\x9b"\x00hello')?.detail, 'not an HTTP response ("?[2J???hello")');
  });

  it('may have a head of 16 KiB, interim ones included, even if it comes with more', () => {
    const long = 'X-Long: '.padEnd(16 * 1024, 'x');
    assert.equal(judge(`HTTP/1.1 200 OK\r\n${long}`), 'response head longer than 16 KiB');
    assert.equal(judge(`HTTP/1.1 200 OK\r\n${long}\r\n\r\n`), 'response head longer than 16 KiB');
    const interim = 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1_000);
    assert.equal(judge(`${interim}HTTP/1.1 200 OK\r\n\r\n`), 'response head longer than 16 KiB');
    assert.equal(judge(`HTTP/1.1 200 OK\r\n\r\n${long}`), 'passed 200');
  });

  it('that ends too early says how far it came', () => {
    assert.equal(judgeEnd('', false), 'connection closed before the response');
    assert.equal(judgeEnd('', true), 'connection reset before the response');
    assert.equal(judgeEnd('HTTP/1.1 200 OK\r\nContent-', false), 'response cut short');
    assert.equal(judgeEnd('HTTP/1.1 100 Continue\r\n\r\n', true), 'response cut short');
  });
});

describe('the expected text', () => {
  const head = (fields: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n`;
  const missing = 'body does not contain "ok"';

  it('is looked for within the given length', () => {
    assert.equal(judge(`${head('Content-Length: 8\r\n')}all is `, { body: 'ok' }), 'more');
    assert.equal(judge(`${head('content-length:  9 \r\n')}all is ok`, { body: 'ok' }), 'passed 200');
    assert.equal(judge(`${head('Content-Length: 3\r\n')}no!ok`, { body: 'ok' }), missing);
    assert.equal(judge(head('Content-Length: 0\r\n'), { body: 'ok' }), missing);
  });

  it('is looked for within the chunks, not in their framing', () => {
    const chunked = head('Transfer-Encoding: Chunked\r\n');
    assert.equal(judge(`${chunked}1\r\no\r\n3;a=b\r\nk, \r\n`, { body: 'ok' }), 'passed 200');
    assert.equal(judge(`${chunked}2;ok\r\nno\r\n0\r\nX: ok\r\n\r\n`, { body: 'ok' }), missing);
  });

  it('is looked for until the connection closes when no length is given', () => {
    assert.equal(judgeEnd(`${head('')}not yet`, false, { body: 'ok' }), missing);
    assert.equal(judgeEnd(`${head('')}not yet`, true, { body: 'ok' }), 'response cut short');
    assert.equal(judgeEnd(`${head('Content-Length: 9\r\n')}not`, false, { body: 'ok' }), 'response cut short');
    assert.equal(judge(`${head('')}now ok`, { body: 'ok' }), 'passed 200');
  });

  it('is compared octet by octet, as UTF-8', () => {
    const body = Buffer.from('alles grün').toString('latin1');
    assert.equal(judge(`${head('')}${body}`, { body: 'grün' }), 'passed 200');
  });

  it('counts in the first 64 KiB only', () => {
    const start = 'x'.repeat(64 * 1024 - 2);
    assert.equal(judge(`${head('')}${start}ok`, { body: 'ok' }), 'passed 200');
    assert.equal(judge(`${head('')}${start}.ok`, { body: 'ok' }), missing);
  });

  it('cannot be there when the status has no body', () => {
    assert.equal(judge('HTTP/1.1 204 No Content\r\n\r\nok', { body: 'ok' }), missing);
  });

  it('is not looked for where nobody can tell what the body is', () => {
    for (const fields of [
      'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n',
      'Content-Length: 2\r\nContent-Length: 2\r\n',
      'Content-Length: +2\r\n',
      'Transfer-Encoding: gzip, chunked\r\n',
    ]) {
      assert.equal(judge(`${head(fields)}ok`, { body: 'ok' }), 'response with an unclear body length');
      assert.equal(judge(`${head(fields)}ok`), 'passed 200');
    }
    for (const body of ['ok\r\n', '2\r\nno.\r\n', '-1\r\nok', '0x2\r\nok', '2\nok', `1;${'x'.repeat(300)}`]) {
      const broken = `${head('Transfer-Encoding: chunked\r\n')}${body}`;
      const answer = new Answer(HealthCheckSchema.parse({ body: 'wanted' }));
      assert.equal(answer.read(`${broken}${' '.repeat(300)}`)?.detail, 'response with broken chunks', body);
    }
  });
});
