import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseJson } from '../../../internal/api/json.ts';

function faultOf(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    assert.ok(error instanceof SyntaxError);
    return error.message;
  }
  assert.fail(`accepted ${text}`);
}

describe('parseJson', () => {
  it('parses JSON', () => {
    assert.deepEqual(parseJson('{"a": [1, "x", null]}'), { a: [1, 'x', null] });
  });

  it('names line and column of a fault', () => {
    const cases: readonly [text: string, place: string][] = [
      ['{"a":1,}', 'line 1, column 8: '],
      ['{"service": "web",\n  "count": two}', "line 2, column 13: Unexpected token 'w'"],
      ['{"a":undefined}', "line 1, column 6: Unexpected token 'u'"],
      ['{"a":tra}', "line 1, column 8: Unexpected token 'a'"],
      ["{'a':1}", 'line 1, column 2: '],
      ['[1,,2]', "line 1, column 4: Unexpected token ','"],
      ['abc', "line 1, column 1: Unexpected token 'a'"],
      ['{"a":\n', 'line 2, column 1: Unexpected end of'],
      ['{"a":1}\n}', 'line 2, column 1: '],
      ['undefined', 'line 1, column 1: '],
    ];
    for (const [text, place] of cases) assert.ok(faultOf(text).startsWith(place), `${text} gave ${faultOf(text)}`);
  });

  it('finds the place however long the text is', () => {
    const sound = '"x", '.repeat(5_000);
    assert.match(faultOf(`[${sound}?, ${sound}1]`), /^line 1, column 25002: Unexpected token '\?'$/);
  });
});
