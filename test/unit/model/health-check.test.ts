import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HealthCheckSchema } from '../../../internal/model/health-check.ts';
import { assertSorted } from '../../support/schemas.ts';

describe('a health check', () => {
  // A path goes into the first line of a request as it is:
  // a space or a line end in it would begin a second request, or break every probe.
  it('has a path that can be sent', () => {
    const paths = ['/', '/health', '/health?full=1&x=%20', '/~a/(b)'];
    const bad = ['', 'health', '/a b', '/a\r\nX: y', '/a\tb', '/a\0', '/ä', '/a#b', 'http://a/'];
    assertSorted(
      HealthCheckSchema,
      paths.map((path) => ({ path })),
      bad.map((path) => ({ path })),
    );
  });

  it('has a Host that can be sent', () => {
    const withHost = (host: string) => ({ host });
    assertSorted(HealthCheckSchema, ['a.example', 'a:80'].map(withHost), ['', 'a b', 'a\r\nX: y'].map(withHost));
  });

  it('expects statuses or ranges of them', () => {
    assert.deepEqual(HealthCheckSchema.parse({ expect: [204, '200-299', '301-301'] }).expect, [
      204,
      { from: 200, to: 299 },
      { from: 301, to: 301 },
    ]);
    const bad = [[], [99], [600], ['2xx'], ['300-200'], ['200-600'], ['200'], [200.5]];
    assertSorted(
      HealthCheckSchema,
      [],
      bad.map((expect) => ({ expect })),
    );
  });

  it('changes its mind after 1 to 100 results in a row', () => {
    const good = [{ rise: 1, fall: 100 }];
    assertSorted(HealthCheckSchema, good, [{ rise: 0 }, { fall: 101 }, { fall: 1.5 }, { rise: '2' }]);
  });

  // A field goes into the request as it is: a line end in it would begin another field, or another request.
  it('has further fields that can be sent', () => {
    const good = [{}, { Authorization: 'Bearer a b', 'X-Empty': '' }, { "x!#$%&'*+.^_`|~1": 'a\tb' }];
    const bad = [{ 'a b': 'x' }, { '': 'x' }, { 'a:': 'x' }, { 'a\r\nb': 'x' }];
    const badValues = ['a\r\nX: y', 'a\nb', 'a\0', 'ä', 1].map((value) => ({ X: value }));
    assertSorted(
      HealthCheckSchema,
      good.map((headers) => ({ headers })),
      [...bad, ...badValues].map((headers) => ({ headers })),
    );
  });

  it('leaves to the probe what the probe alone can know', () => {
    const own = ['Host', 'connection', 'Content-Length', 'TRANSFER-ENCODING', 'Upgrade', 'Expect', 'TE', 'Keep-Alive'];
    assertSorted(
      HealthCheckSchema,
      ['Accept', 'user-agent', 'X-Host'].map((name) => ({ headers: { [name]: 'x' } })),
      own.map((name) => ({ headers: { [name]: 'x' } })),
    );
  });

  it('has a pattern that is a regular expression', () => {
    const good = ['ok', '^\\{"status":"(up|ok)"', '(?i:ok)', '\\p{L}+'];
    assertSorted(
      HealthCheckSchema,
      good.map((bodyPattern) => ({ bodyPattern, body: 'ok' })),
      ['', '(', '[z-a]', '*', '\\-'].map((bodyPattern) => ({ bodyPattern })),
    );
    assert.match(
      HealthCheckSchema.safeParse({ bodyPattern: '(' }).error?.issues[0]?.message ?? '',
      /Unterminated group/,
    );
  });

  it('speaks HTTP, HTTPS or just TCP', () => {
    const types = ['http', 'https', 'tcp'].map((type) => ({ type }));
    assertSorted(HealthCheckSchema, types, [{ type: 'exec' }, { type: 'HTTPS' }, { verifyCertificate: 'no' }]);
  });

  it('of TCP looks for nothing in a body that never comes', () => {
    const wanting = [{ body: 'ok' }, { bodyPattern: 'ok' }];
    assertSorted(
      HealthCheckSchema,
      wanting.map((want) => ({ type: 'https', ...want })),
      wanting.map((want) => ({ type: 'tcp', ...want })),
    );
  });
});
