import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Attack,
  BROKEN_CHUNKS,
  GOOD_REQUESTS,
  GOOD_RESPONSES,
  REFUSED_REQUESTS,
  REFUSED_RESPONSES,
} from '../../../fuzz/corpus.ts';
import type { Reading } from '../../../fuzz/reading.ts';
import { checkRequests, checkResponse, fuzz, type Tally } from '../../../fuzz/run.ts';
import { wireRequests, wireResponse } from '../../../fuzz/wire-reading.ts';

/** `npm run fuzz` goes on with other seeds. */
const RUNS = { seed: 20_261_121, count: 1_500 };

function everySplit({ text }: Attack, read: (cuts: readonly number[]) => Reading): Reading {
  const whole = read([]);
  assert.deepEqual(read(Array<number>(text.length).fill(1)), whole, 'octet by octet it reads otherwise');
  for (const cut of [1, 2, 3]) assert.deepEqual(read([text.length - cut]), whole);
  return whole;
}

describe('the wire parser and the one of Node', () => {
  for (const side of ['requests', 'responses'] as const) {
    it(`read random ${side} alike, where both accept them, and only Node's accepts more`, async () => {
      const tally: Tally = { messages: 0, accepted: 0, refused: 0 };
      await fuzz(side, RUNS, tally);
      assert.ok(tally.accepted > RUNS.count / 10, `only ${tally.accepted} samples were right: the others test little`);
      assert.ok(tally.refused > RUNS.count / 10, `only ${tally.refused} samples were wrong`);
    });
  }

  it('read the known attacks alike, too, or ours refuses them', async () => {
    for (const { name, text } of [...REFUSED_REQUESTS, ...BROKEN_CHUNKS, ...GOOD_REQUESTS]) {
      assert.equal(await checkRequests({ text, cuts: [], method: 'GET' }), null, name);
    }
    for (const { name, text } of REFUSED_RESPONSES) {
      assert.equal(await checkResponse({ text, cuts: [], method: 'GET' }), null, name);
    }
    for (const { name, text, method } of GOOD_RESPONSES) {
      assert.equal(await checkResponse({ text, cuts: [], method }), null, name);
    }
  });
});

describe('of the known attacks the wire parser', () => {
  // Every one of them makes some program see another request, or another end of it, than the program before it.
  it('refuses every request whose head is ambiguous, before it is one', () => {
    for (const attack of REFUSED_REQUESTS) {
      const { messages, ending } = everySplit(attack, (cuts) => wireRequests(attack.text, cuts));
      assert.deepEqual([messages.length, typeof ending], [0, 'object'], attack.name);
    }
  });

  // The head is right, and the body never becomes whole, so no program behind takes what follows for a request.
  it('refuses every body whose chunks are ambiguous, before it is whole', () => {
    for (const attack of BROKEN_CHUNKS) {
      const { messages, ending } = everySplit(attack, (cuts) => wireRequests(attack.text, cuts));
      assert.deepEqual([messages.map(({ complete }) => complete), typeof ending], [['no'], 'object'], attack.name);
    }
  });

  // A backend that answers ambiguously, by intent or not, would put words into the next answer on the connection.
  it('refuses every response whose head is ambiguous', () => {
    for (const attack of REFUSED_RESPONSES) {
      const { messages, ending } = everySplit(attack, (cuts) => wireResponse(attack.text, cuts, 'GET'));
      assert.deepEqual([messages.length, typeof ending], [0, 'object'], attack.name);
    }
  });

  it('accepts what only looks like one', () => {
    for (const good of GOOD_REQUESTS) {
      const { messages, ending } = everySplit(good, (cuts) => wireRequests(good.text, cuts));
      assert.ok(messages.length > 0 && typeof ending === 'string', good.name);
    }
    for (const good of GOOD_RESPONSES) {
      const { messages, ending } = everySplit(good, (cuts) => wireResponse(good.text, cuts, good.method));
      assert.ok(messages.length > 0 && typeof ending === 'string', good.name);
    }
  });
});
