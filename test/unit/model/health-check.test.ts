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
});
