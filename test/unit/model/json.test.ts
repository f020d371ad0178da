import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { JsonSyntaxError, parseJson } from '../../../internal/model/json.ts';

const FAULTS: readonly [text: string, line: number, column: number, message: RegExp][] = [
  ['', 1, 1, /text ends here/],
  ['{', 1, 2, /text ends here/],
  ['{"a":1,}', 1, 8, /no comma before a closing bracket/],
  ['[1,\n 2,\n]', 3, 1, /no comma before a closing bracket/],
  ['{"a" 1}', 1, 6, /expected ":"/],
  ['{\n  "a": tru\n}', 2, 8, /expected a value/],
  ['{"a": 01}', 1, 7, /expected a value/],
  ['{"a": 1 // port\n}', 1, 9, /no comments/],
  ["{'a': 1}", 1, 2, /double quotes/],
  ['{"a": "x\ny"}', 1, 7, /does not end on its line/],
  ['{"a": "\\q"}', 1, 7, /invalid escape/],
  ['{]', 1, 2, /expected a key in double quotes$/],
  ['{"a": 1]', 1, 8, /expected "," or "}"$/],
  ['{} {}', 1, 4, /nothing after the value/],
  ['['.repeat(200), 1, 102, /nested too deeply/],
];

describe('parseJson', () => {
  for (const [text, line, column, message] of FAULTS) {
    it(`finds the fault in ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.throws(
        () => parseJson(text),
        (error) => {
          assert.ok(error instanceof JsonSyntaxError);
          assert.deepEqual([error.line, error.column], [line, column]);
          assert.match(error.message, message);
          assert.ok(error.message.startsWith(`line ${line}, column ${column}: `));
          return true;
        },
      );
    });
  }

  it('refuses a key that stands twice, however it is spelled', () => {
    assert.throws(() => parseJson('{"a": 1,\n "\\u0061": 2}'), /line 2, column 2: .*twice/);
    assert.deepEqual(parseJson('{"a": {"a": 1}, "b": {"a": 2}}'), { a: { a: 1 }, b: { a: 2 } });
  });

  it('ignores a byte order mark', () => {
    assert.deepEqual(parseJson('\ufeff{"a": 1}'), { a: 1 });
  });

  it('never quotes the text, which may hold secrets', () => {
    assert.throws(
      () => parseJson('{"token": hunter2hunter2}'),
      (error) => error instanceof Error && !error.message.includes('hunter2'),
    );
  });

  it('agrees with the built-in parser on what is JSON', () => {
    const fragment = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '1',
      '-0.5e+3',
      '01',
      '1.',
      'true',
      'nul',
      ' ',
      '"',
      '\\',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
        const text = fragments.join('');
        assert.equal(
          outcome(() => parseJson(text)),
          outcome(() => JSON.parse(text)),
        );
      }),
      { numRuns: 3_000 },
    );
    fc.assert(fc.property(fc.json({ maxDepth: 5 }), (text) => assert.deepEqual(parseJson(text), JSON.parse(text))));
  });
});

/** Repeated keys are the one thing we judge differently. */
function outcome(parse: () => unknown): string {
  try {
    parse();
    return 'accepted';
  } catch (error) {
    return error instanceof Error && error.message.includes('twice') ? 'accepted' : 'refused';
  }
}
