import fc from 'fast-check';
import { BROKEN_CHUNKS, GOOD_REQUESTS, GOOD_RESPONSES, REFUSED_REQUESTS, REFUSED_RESPONSES } from './corpus.ts';

import { interim, request, response } from './grammar.ts';
import { type Text, usually } from './grammar-fields.ts';

/** Octets as one side of a connection sends them, and the pieces they come in. */
export interface Sample {
  readonly text: string;
  readonly cuts: readonly number[];
  /** Of a response: what it answers. */
  readonly method: string;
}

/** Requests and what comes near to them: by grammar or from the corpus, then damaged. */
export function requestSamples(): fc.Arbitrary<Sample> {
  const known = [...REFUSED_REQUESTS, ...BROKEN_CHUNKS, ...GOOD_REQUESTS].map(({ text }) => text);
  const messages = fc.array(request(), { minLength: 1, maxLength: 3 }).map((texts) => texts.join(''));
  const text = damaged(fc.oneof({ weight: 5, arbitrary: messages }, fc.constantFrom(...known)));
  return fc.record({ text, cuts: cuts(), method: fc.constant('GET') });
}

/** The same for responses. */
export function responseSamples(): fc.Arbitrary<Sample> {
  const known = [...REFUSED_RESPONSES, ...GOOD_RESPONSES].map(({ text }) => text);
  const messages = fc.tuple(usually('', interim()), response()).map((texts) => texts.join(''));
  const text = damaged(fc.oneof({ weight: 5, arbitrary: messages }, fc.constantFrom(...known)));
  return fc.record({ text, cuts: cuts(), method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST') });
}

function cuts(): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 30 });
}

/** Inserts, deletes, replaces or repeats at a few random places; often at none. */
function damaged(text: Text): Text {
  const octet = fc.oneof(
    fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      ' ',
      '\t',
      '\x00',
      ':',
      ';',
      ',',
      '0',
      '\x0b',
      '\x7f',
      '\x80',
      '\xff',
      '"',
      '_',
    ),
    fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  );
  const damage = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat({ max: 3 }),
    repeat: fc.boolean(),
    put: fc.oneof(octet, fc.constant('')),
  });
  return fc.tuple(text, fc.array(damage, { maxLength: 2, size: 'xsmall' })).map(([whole, damages]) =>
    damages.reduce((present, { at, cut, repeat, put }) => {
      const index = Math.floor(at * present.length);
      return `${present.slice(0, index)}${put}${present.slice(repeat ? Math.max(index - cut, 0) : index + cut)}`;
    }, whole),
  );
}
