import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { z } from 'zod';
import { duration, size, wholeNumber } from '../../../internal/model/units.ts';

function assertRefused(schema: z.ZodType, value: unknown, message: RegExp): void {
  const { error } = schema.safeParse(value);
  assert.equal(error?.issues.length, 1, `accepted ${JSON.stringify(value)}`);
  assert.match(error.issues[0]?.message ?? '', message, JSON.stringify(value));
}

describe('a duration', () => {
  it('is milliseconds once parsed', () => {
    const texts = ['1ms', '500ms', '0.5s', '2s', '1.5m', '1h', '3d'];
    const expected = [1, 500, 500, 2_000, 90_000, 3_600_000, 259_200_000];
    assert.deepEqual(
      texts.map((text) => duration().parse(text)),
      expected,
    );
  });

  it('is refused without a unit, with an unknown or a foreign one, and with a sign or a space', () => {
    for (const text of [
      '',
      '5',
      '5 s',
      ' 5s',
      '5s ',
      '-5s',
      '+5s',
      '5S',
      '5sec',
      '5kb',
      '.5s',
      '5.s',
      '1e3ms',
      '1s2ms',
    ]) {
      assertRefused(duration(), text, /^expected a duration such as "500ms"/);
    }
  });

  it('is refused when it is nothing, or longer than a timer can hold', () => {
    for (const text of ['0ms', '0.0s', '25d', '2147483648ms', `${'9'.repeat(400)}s`]) {
      assertRefused(duration(), text, /above zero and of at most 24 days/);
    }
    assert.equal(duration().parse('2147483647ms'), 2_147_483_647);
  });

  it('is refused in the same words when it is no text', () => {
    for (const value of [500, null, true, {}, ['1s']]) assertRefused(duration(), value, /^expected a duration such as/);
  });
});

describe('a size', () => {
  it('is bytes once parsed, with 1024 to the kilobyte', () => {
    const texts = ['1b', '16kb', '1.5kb', '1mb', '2gb', '8KB'];
    assert.deepEqual(
      texts.map((text) => size().parse(text)),
      [1, 16_384, 1_536, 1_048_576, 2_147_483_648, 8_192],
    );
  });

  it('is whole bytes, rounded down', () => {
    assert.equal(size().parse('1.9b'), 1);
    assert.equal(size().parse('0.3kb'), 307);
  });

  it('is refused when it is nothing, or not a number with a unit', () => {
    for (const text of ['', '0kb', '0.5b', '16', '16 kb', '-1kb', '1k', '1kib', '1s', '1tb']) {
      assertRefused(size(), text, /^expected a size such as "64kb"/);
    }
  });

  it('is refused in the same words when it is no text', () => {
    for (const value of [16_384, null, []]) assertRefused(size(), value, /^expected a size such as/);
  });
});

describe('a whole number', () => {
  it('includes both ends of its range', () => {
    assert.deepEqual(
      [1, 10].map((value) => wholeNumber(1, 10).parse(value)),
      [1, 10],
    );
  });

  it('is refused in the same words whatever is wrong with it', () => {
    for (const value of [0, 11, 1.5, '5', null, Number.NaN, Number.POSITIVE_INFINITY]) {
      assertRefused(wholeNumber(1, 10), value, /^expected a whole number from 1 to 10$/);
    }
  });
});
