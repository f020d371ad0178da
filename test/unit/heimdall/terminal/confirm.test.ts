import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { confirm } from '../../../../cmd/heimdall/terminal/confirm.ts';

/** A person at a terminal who types that; null: closes it. */
async function asked(typed: string | null, { isTTY = true, isSure = false } = {}) {
  const [input, output] = [Object.assign(new PassThrough(), { isTTY }), Object.assign(new PassThrough(), { isTTY })];
  const shown = text(output);
  const answer = confirm('Stop all?', isSure, { input, output }).then(
    () => 'yes',
    (error: { readonly exitCode?: number }) => error.exitCode,
  );
  if (typed !== null) input.write(typed);
  else input.end();
  const result = await answer;
  output.end();
  return { result, question: await shown };
}

describe('a question before something dangerous', () => {
  for (const [typed, result] of [
    ['y\n', 'yes'],
    ['YES\n', 'yes'],
    ['n\n', 1],
    ['\n', 1],
    [null, 130],
  ] as const) {
    it(`is answered by ${JSON.stringify(typed)}: ${result}`, async () => {
      const told = await asked(typed);
      assert.equal(told.result, result);
      assert.ok(told.question.includes('Stop all? [y/N] '));
    });
  }

  it('is not asked where nobody can answer, or who asks is sure', async () => {
    for (const options of [{ isTTY: false }, { isSure: true }])
      assert.deepEqual(await asked(null, options), { result: 'yes', question: '' });
  });
});
