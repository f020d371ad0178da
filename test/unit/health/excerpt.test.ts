import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { excerpt } from '../../../internal/health/excerpt.ts';

const of = (text: string) => excerpt(Buffer.from(text).toString('latin1'));

describe('an excerpt', () => {
  it('is the beginning of a body on one line', () => {
    assert.equal(of('database gone'), '"database gone"');
    assert.equal(of('\n<html>\r\n  <body>gone\t</body>\n'), '"<html> <body>gone </body>"');
    assert.equal(of('{"error":"größer als 5 €"}'), `"{'error':'größer als 5 €'}"`);
  });

  it('is nothing when there is nothing to show', () => {
    assert.equal(of(''), '');
    assert.equal(of(' \r\n'), '');
  });

  it('has at most a hundred characters, none of them cut in two', () => {
    assert.equal(of('x'.repeat(100)), `"${'x'.repeat(100)}"`);
    assert.equal(of('x'.repeat(101)), `"${'x'.repeat(100)}…"`);
    assert.equal(of('🙂'.repeat(101)), `"${'🙂'.repeat(100)}…"`);
    assert.equal(of(`${' '.repeat(399)}ü`), '');
  });

  // A body is the instance's own: it could clear the terminal of whoever reads the log,
  // or write an alert that says the opposite.
  it('has no characters that do something', () => {
    assert.equal(of('\x1b[2Jok\0\x07\x7f\x9b'), '"?[2Jok????"');
    assert.equal(of('a\u202Eb\u200Bc\u2028d\uFEFF'), '"a?b?c d"');
    assert.equal(excerpt('no UTF-8: \xff'), '"no UTF-8: ?"');
  });
});
