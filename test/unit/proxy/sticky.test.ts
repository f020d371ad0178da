import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cookieValue, StickyCookie } from '../../../internal/proxy/sticky.ts';
import { upstream } from '../../support/proxy-fakes.ts';

const SECRET = 'a secret that is long enough';

function valueOf(setCookie: string): string {
  return setCookie.slice(0, setCookie.indexOf(';'));
}

describe('the sticky cookie', () => {
  const [a, b] = [upstream('web-9001-a'), upstream('web-9002-b')];
  const sticky = new StickyCookie('lb', SECRET);

  it('finds the upstream that issued it, among other cookies', () => {
    const field = `x=1; ${valueOf(sticky.issue(b, false))}; y=2`;
    assert.equal(sticky.find(field, [a, b]), b);
  });

  it('stays valid over a restart with the same secret, and not with another', () => {
    const field = valueOf(sticky.issue(b, false));
    assert.equal(new StickyCookie('lb', SECRET).find(field, [a, upstream('web-9002-b')])?.id, 'web-9002-b');
    assert.equal(new StickyCookie('lb', 'another secret of some length').find(field, [a, b]), undefined);
  });

  it('names nobody once its instance is gone', () => {
    assert.equal(sticky.find(valueOf(sticky.issue(b, false)), [a]), undefined);
  });

  // A client that wants to reach one certain instance, or to learn how instances are called, makes cookies up.
  it('ignores what it did not issue, and shows no name, port or address', () => {
    const forged = [
      'lb=web-9001-a',
      'lb=',
      'lb',
      'lb="x"',
      `lb=${'A'.repeat(22)}`,
      'other=1',
      '',
      `lb=${'é'.repeat(22)}`,
    ];
    for (const field of forged) assert.equal(sticky.find(field, [a, b]), undefined, field);
    assert.equal(sticky.find(undefined, [a, b]), undefined);
    assert.doesNotMatch(valueOf(sticky.issue(a, false)), /9001|web|127/);
  });

  it('is out of reach of scripts and of other sites, and of plain HTTP where TLS is used', () => {
    assert.match(sticky.issue(a, false), /^lb=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.match(sticky.issue(a, true), /; HttpOnly; SameSite=Lax; Secure$/);
  });
});

describe('cookieValue', () => {
  it('reads one cookie of a field, the first when it is repeated', () => {
    assert.equal(cookieValue('a=1; b=2; a=3', 'a'), '1');
    assert.equal(cookieValue(' b = 2 ', 'b'), '2');
    assert.equal(cookieValue('ab=1', 'b'), undefined);
    assert.equal(cookieValue('a=b=c', 'a'), 'b=c');
    assert.equal(cookieValue(undefined, 'a'), undefined);
  });
});
