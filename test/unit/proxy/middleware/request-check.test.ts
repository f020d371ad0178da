import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { checkRequest } from '../../../../internal/proxy/middleware/request-check.ts';

const LIMITS = { head: 16_384, fields: 100, target: 8_192, body: null };

interface Given {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  readonly fields?: readonly string[];
}

function check({ method = 'GET', target = '/', version = '1.1', fields = ['Host', 'a'] }: Given, limits = {}) {
  const message = new IncomingMessage(new Socket());
  Object.assign(message, { method, url: target, httpVersion: version, rawHeaders: fields });
  return checkRequest(message, { ...LIMITS, ...limits });
}

function statusOf(given: Given, limits = {}): number {
  const checked = check(given, limits);
  return checked.ok ? 200 : checked.status;
}

const HOST = ['Host', 'a'];

describe('checkRequest', () => {
  it('lets a plain request through, its target byte for byte', () => {
    for (const target of ['/', '/a/../b//c', '/%2e%2E/%00?x=%zz&y', '//[', '/?a?b', '/"<>\\^`{}|', '/a;b=c@d:e']) {
      assert.deepEqual(check({ target }), { ok: true, target, host: 'a', hasBody: false, chunked: false }, target);
    }
  });

  it('knows whether a body comes, and how it is framed', () => {
    const bodyOf = (fields: readonly string[]) => {
      const checked = check({ method: 'POST', fields: [...HOST, ...fields] });
      return checked.ok ? [checked.hasBody, checked.chunked] : checked.status;
    };
    assert.deepEqual(bodyOf([]), [false, false]);
    assert.deepEqual(bodyOf(['Content-Length', '0']), [false, false]);
    assert.deepEqual(bodyOf(['Content-Length', '5']), [true, false]);
    assert.deepEqual(bodyOf(['Transfer-Encoding', 'Chunked']), [true, true]);
  });

  // Request smuggling: where two readers disagree about a message's end, the rest of it becomes the next client's request.
  it('refuses every message whose end can be read in two ways', () => {
    const framing: readonly [fields: readonly string[], status: number][] = [
      [['Content-Length', '5', 'Transfer-Encoding', 'chunked'], 400],
      [['Transfer-Encoding', 'chunked', 'Content-Length', '0'], 400],
      [['Transfer-Encoding', '', 'Content-Length', '5'], 400],
      [['Content-Length', '5', 'Content-Length', '5'], 400],
      [['Content-Length', '5', 'content-length', '6'], 400],
      [['Content-Length', '5, 5'], 400],
      [['Content-Length', '+5'], 400],
      [['Content-Length', '-0'], 400],
      [['Content-Length', ' 5'], 400],
      [['Content-Length', '0x5'], 400],
      [['Content-Length', '5e0'], 400],
      [['Content-Length', ''], 400],
      [['Content-Length', '9'.repeat(20)], 400],
      [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'], 501],
      [['Transfer-Encoding', 'gzip, chunked'], 501],
      [['Transfer-Encoding', 'chunked, gzip'], 501],
      [['Transfer-Encoding', ',chunked'], 501],
      [['Transfer-Encoding', 'xchunked'], 501],
      [['Transfer-Encoding', 'identity'], 501],
      [['Transfer-Encoding', ''], 501],
    ];
    for (const [fields, status] of framing) {
      assert.equal(statusOf({ method: 'POST', fields: [...HOST, ...fields] }), status, fields.join(' '));
    }
    assert.equal(statusOf({ version: '1.0', fields: [...HOST, 'Transfer-Encoding', 'chunked'] }), 400);
  });

  it('speaks HTTP/1.1 and HTTP/1.0', () => {
    const statuses = ['1.1', '1.0', '0.9', '1.2', '2.0', '11.1', ''].map((version) => statusOf({ version }));
    assert.deepEqual(statuses, [200, 200, 505, 505, 505, 505, 505]);
  });

  // Two Host fields, or one that names two hosts: the check looks at one, the backend at the other.
  it('wants exactly one valid host', () => {
    const hosts: readonly [fields: readonly string[], status: number][] = [
      [['Host', 'a'], 200],
      [['Host', ''], 200],
      [['Host', 'A.example:8080'], 200],
      [['Host', '[::1]:80'], 200],
      [['Host', '10.0.0.1:'], 200],
      [['Host', 'a', 'Host', 'a'], 400],
      [['Host', 'a', 'host', 'b'], 400],
      [[], 400],
      [['Host', 'a/b'], 400],
      [['Host', 'user@a'], 400],
      [['Host', 'a, b'], 400],
      [['Host', 'a b'], 400],
      [['Host', 'a:80:80'], 400],
      [['Host', 'a:x'], 400],
      [['Host', 'a:123456'], 400],
      [['Host', '[::1'], 400],
      [['Host', 'a?b'], 400],
      [['Host', 'a#b'], 400],
      [['Host', 'ä'], 400],
    ];
    for (const [fields, status] of hosts) assert.equal(statusOf({ fields }), status, fields.join(' '));
    assert.equal(statusOf({ version: '1.0', fields: [] }), 200);
  });

  it('turns an absolute target into a path, when it names the same host', () => {
    const targetOf = (target: string) => {
      const checked = check({ target });
      return checked.ok ? checked.target : checked.status;
    };
    assert.equal(targetOf('http://a/x?y'), '/x?y');
    assert.equal(targetOf('HTTP://A'), '/');
    assert.equal(targetOf('http://a?x'), '/?x');
    assert.equal(targetOf('https://a//x'), '//x');
    for (const target of ['http://b/', 'http://a:80/', 'http://user@a/', 'http:///x', 'http://', 'ftp://a/', 'a:80']) {
      assert.equal(targetOf(target), 400, target);
    }
    const old = check({ version: '1.0', fields: [], target: 'http://a/x' });
    assert.deepEqual(old.ok && [old.host, old.target], ['a', '/x']);
  });

  it('refuses other forms of target: fragments, relative paths, and * for anything but OPTIONS', () => {
    for (const target of ['/a#b', '#', 'a', '', '?x', '*']) assert.equal(statusOf({ target }), 400, target);
    assert.equal(statusOf({ method: 'OPTIONS', target: '*' }), 200);
  });

  it('keeps the limits: target, number of fields, size of the head, announced body', () => {
    assert.equal(statusOf({ target: `/${'x'.repeat(8_191)}` }), 200);
    assert.equal(statusOf({ target: `/${'x'.repeat(8_192)}` }), 414);
    const fields = (count: number) => Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']).flat();
    assert.equal(statusOf({ fields: [...HOST, ...fields(99)] }), 200);
    assert.equal(statusOf({ fields: [...HOST, ...fields(100)] }), 431);
    assert.equal(statusOf({ fields: [...HOST, 'X', 'v'.repeat(16_000)] }), 200);
    assert.equal(statusOf({ fields: [...HOST, 'X', 'v'.repeat(16_400)] }), 431);
    const body = (length: number) => ({ method: 'POST', fields: [...HOST, 'Content-Length', String(length)] });
    assert.equal(statusOf(body(10), { body: 10 }), 200);
    assert.equal(statusOf(body(11), { body: 10 }), 413);
    assert.equal(statusOf(body(1_000_000_000_000)), 200);
  });
});
