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

const head = (fields: string, status = '200 OK') => `HTTP/1.1 ${status}\r\n${fields}\r\n`;

function judgeEnd(text: string, reset: boolean, changes: Record<string, unknown> = {}): string {
  const answer = new Answer(HealthCheckSchema.parse(changes));
  assert.equal(answer.read(text), null);
  return answer.end(reset).detail;
}

describe('an answer', () => {
  it('is judged by its status once its head is complete', () => {
    assert.equal(judge('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n'), 'more');
    assert.equal(judge('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'), 'passed 200');
    assert.equal(judge('HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'), 'status 503');
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
  const missing = 'body does not contain "ok"';

  it('is looked for within the given length', () => {
    assert.equal(judge(`${head('Content-Length: 8\r\n')}all is `, { body: 'ok' }), 'more');
    assert.equal(judge(`${head('content-length:  9 \r\n')}all is ok`, { body: 'ok' }), 'passed 200');
    assert.equal(judge(`${head('Content-Length: 3\r\n')}no!ok`, { body: 'ok' }), `${missing}: "no!"`);
    assert.equal(judge(head('Content-Length: 0\r\n'), { body: 'ok' }), missing);
  });

  it('is looked for within the chunks, not in their framing', () => {
    const chunked = head('Transfer-Encoding: Chunked\r\n');
    assert.equal(judge(`${chunked}1\r\no\r\n3;a=b\r\nk, \r\n`, { body: 'ok' }), 'passed 200');
    assert.equal(judge(`${chunked}2;ok\r\nno\r\n0\r\nX: ok\r\n\r\n`, { body: 'ok' }), `${missing}: "no"`);
  });

  it('is looked for until the connection closes when no length is given', () => {
    assert.equal(judgeEnd(`${head('')}not yet`, false, { body: 'ok' }), `${missing}: "not yet"`);
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
    assert.equal(judge(`${head('')}${start}.ok`, { body: 'ok' }), `${missing}: "${'x'.repeat(100)}…"`);
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

describe('the expected pattern', () => {
  const text = (body: string) =>
    `${head(`Content-Length: ${Buffer.byteLength(body)}\r\n`)}${Buffer.from(body).toString('latin1')}`;

  it('is looked for in the whole body, once that is there', () => {
    assert.equal(judge(text('{"status":"up"}'), { bodyPattern: '"status": ?"up"' }), 'passed 200');
    assert.equal(judge(text('up').slice(0, -1), { bodyPattern: '^u$' }), 'more'); // it is not the end
    assert.equal(judge(text('up'), { bodyPattern: '^u$' }), 'body does not match ^u$: "up"');
    assert.equal(judge(text('Grün'), { bodyPattern: '^(?i:g)r\\p{L}n$' }), 'passed 200');
    assert.equal(judgeEnd(`${head('')}not ok`, false, { bodyPattern: 'ok$' }), '200');
  });

  it('is looked for in the first 64 KiB only', () => {
    const start = 'x'.repeat(64 * 1024 - 2);
    assert.equal(judge(`${head('')}${start}ok`, { bodyPattern: 'ok' }), 'passed 200');
    assert.match(judge(`${head('')}${start}.ok`, { bodyPattern: 'ok' }), /^body does not match ok: /);
  });

  it('comes on top of the expected text', () => {
    const both = { body: 'ok', bodyPattern: '^a' };
    assert.equal(judge(text('all ok'), both), 'passed 200');
    assert.equal(judge(text('all'), both), 'body does not contain "ok": "all"');
    assert.equal(judge(text('not ok'), both), 'body does not match ^a: "not ok"');
  });

  // A body of a few dozen characters keeps this pattern busy for longer than the universe is old,
  // and with it everything else that the thread of the checks does.
  it('is given up when it takes too long', () => {
    const answer = new Answer(HealthCheckSchema.parse({ bodyPattern: '^(a+)+$' }));
    assert.match(
      answer.read(text(`${'a'.repeat(60)}!`))?.detail ?? '',
      /^bodyPattern \^\(a\+\)\+\$ takes too long: "aaa/,
    );
    assert.equal(judge(text('aaa'), { bodyPattern: '^(a+)+$' }), 'passed 200');
  });
});

describe('a failure', () => {
  const error = (fields: string, body: string) => `${head(fields, '503 Service Unavailable')}${body}`;

  it('is explained by the beginning of the body', () => {
    assert.equal(judge(error('Content-Length: 13\r\n', 'database gone')), 'status 503: "database gone"');
    const chunked = error('Transfer-Encoding: chunked\r\n', '8\r\ndatabase\r\n5\r\n gone\r\n0\r\n');
    assert.equal(judge(chunked), 'status 503: "database gone"');
    assert.equal(judgeEnd(error('', 'database gone'), false), 'status 503: "database gone"');
    assert.equal(judge(error('', 'x'.repeat(500))), `status 503: "${'x'.repeat(100)}…"`);
  });

  it('is certain before its explanation is complete, and survives a connection that breaks', () => {
    const answer = new Answer(HealthCheckSchema.parse({}));
    assert.equal(answer.read(error('Content-Length: 100\r\n', '')), null);
    assert.deepEqual(answer.soFar, { passed: false, detail: 'status 503' });
    answer.read('database');
    assert.deepEqual(answer.soFar, { passed: false, detail: 'status 503: "database"' });
    assert.equal(answer.end(true).detail, 'status 503: "database"');
  });

  it('is not explained by what nobody can read', () => {
    const zipped = error('Content-Encoding: gzip\r\nContent-Length: 2\r\n', '');
    assert.equal(judge(zipped), 'status 503');
    assert.equal(judge(error('Content-Length: 1\r\nContent-Length: 2\r\n', 'ab')), 'status 503');
    const plain = error('content-encoding: identity\r\nContent-Length: 2\r\n', 'no');
    assert.equal(judge(plain), 'status 503: "no"');
  });
});

describe('the connection after an answer', () => {
  /** What becomes of it: `kept`, `closed`, or `more` while the answer is not over. */
  function fate(text: string, changes: Record<string, unknown> = {}): string {
    const fates = [[text], [...text]].map((pieces) => {
      const answer = new Answer(HealthCheckSchema.parse(changes), true);
      for (const [index, piece] of pieces.entries()) {
        if (answer.read(piece) === null) continue;
        if (index < pieces.length - 1) return 'early';
        return answer.leavesConnection ? 'kept' : 'closed';
      }
      return 'more';
    });
    assert.equal(fates[0], fates[1]);
    return fates[0] ?? '';
  }

  it('is free once the whole message is there', () => {
    assert.equal(fate(head('Content-Length: 2\r\n')), 'more');
    assert.equal(fate(`${head('Content-Length: 2\r\n')}ok`), 'kept');
    assert.equal(fate(head('Content-Length: 0\r\n')), 'kept');
    assert.equal(fate(head('', '204 No Content')), 'kept');
    assert.equal(fate(`${head('Transfer-Encoding: chunked\r\n')}2\r\nok\r\n0\r\n`), 'more');
    assert.equal(fate(`${head('Transfer-Encoding: chunked\r\n')}2\r\nok\r\n0\r\n\r\n`), 'kept');
    assert.equal(fate(`${head('Transfer-Encoding: chunked\r\n')}0\r\n\r\n`, { bodyPattern: '^$' }), 'kept');
    assert.equal(fate(`${head('Content-Length: 4\r\n')}ok..`, { body: 'ok' }), 'kept');
  });

  it('is not used again when the other side will close it, or nobody can tell where the message ends', () => {
    for (const text of [
      head('Connection: close\r\nContent-Length: 0\r\n'),
      head('connection: x, Close , y\r\nContent-Length: 0\r\n'),
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
      head(''),
      head('Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'),
    ]) {
      assert.equal(fate(text), 'closed', text);
    }
    assert.equal(fate(head('Connection: keep-alive, closed\r\nContent-Length: 0\r\n')), 'kept');
  });

  // What came behind the answer would be taken for the answer to the next probe: an instance, or whoever has smuggled
  // something into its answers, could look healthy for as long as it likes.
  it('is not used again when something came behind the message', () => {
    for (const text of [
      `${head('Content-Length: 0\r\n')}HTTP/1.1 200 OK\r\n`,
      `${head('', '204 No Content')}ok`,
      `${head('Transfer-Encoding: chunked\r\n')}0\r\n\r\n.`,
      `${head('Transfer-Encoding: chunked\r\n')}0\r\nTrailer: 1\r\n\r\n`,
    ]) {
      const answer = new Answer(HealthCheckSchema.parse({}), true);
      assert.equal(answer.read(text)?.passed, true, text);
      assert.equal(answer.leavesConnection, false, text);
    }
  });

  it('is waited for no longer than for 64 KiB, or until the framing breaks', () => {
    const long = new Answer(HealthCheckSchema.parse({}), true);
    assert.equal(long.read(`${head('Content-Length: 99999\r\n')}${'x'.repeat(65_535)}`), null);
    assert.deepEqual(long.soFar, { passed: true, detail: '200' });
    assert.equal(long.read('x')?.passed, true);
    assert.equal(long.leavesConnection, false);
    const broken = new Answer(HealthCheckSchema.parse({}), true);
    assert.equal(broken.read(`${head('Transfer-Encoding: chunked\r\n')}nonsense\r\n`)?.passed, true);
    assert.equal(broken.leavesConnection, false);
  });
});
