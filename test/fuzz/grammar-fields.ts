import fc from 'fast-check';

export type Text = fc.Arbitrary<string>;

/** Nearly always `normal`, so that most messages are odd in one place only. */
export function usually(normal: string, odd: Text): Text {
  return fc.oneof({ weight: 30, arbitrary: fc.constant(normal) }, { weight: 1, arbitrary: odd });
}

export function eol(): Text {
  return fc.oneof({ weight: 200, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '\r', '\r\r\n', '\n\r\n', ''));
}

export function fields(): fc.Arbitrary<string[]> {
  const name = fc.constantFrom(
    'A',
    'x-b',
    'Cookie',
    'Connection',
    'Connection',
    'Keep-Alive',
    'TE',
    'Trailer',
    'Expect',
    'Upgrade',
    '__proto__',
    'X_Y',
    "!#$%&'*+-.^_`|~",
  );
  const known = fc.constantFrom(
    'b',
    'close',
    'keep-alive',
    'keep-alive, close',
    'upgrade',
    'x,close',
    'Close ,x',
    '"a,b"',
    '\xe9\xa0',
    '',
    ' ',
    'a\tb',
    'a:b',
    '100-continue',
    'trailers',
  );
  const value = fc.oneof({ weight: 20, arbitrary: known }, fc.string({ unit: 'binary-ascii', maxLength: 5 }));
  return fc.array(
    name.chain((each) => field(each, value)),
    { maxLength: 4 },
  );
}

export function field(name: string, value: Text): Text {
  const spelled = usually(
    name,
    fc.constantFrom(
      name.toLowerCase(),
      name.toUpperCase(),
      `${name} `,
      ` ${name}`,
      `\t${name}`,
      `${name}\x00`,
      `${name}\xa0`,
      '',
    ),
  );
  const colon = usually(': ', fc.constantFrom(':', ':\t', ' : ', ':\r\n ', '', ':  '));
  return fc.tuple(spelled, colon, value, eol()).map((parts) => parts.join(''));
}
