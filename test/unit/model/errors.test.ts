import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeimdallError, hasCode, messageOf } from '../../../internal/model/errors.ts';

describe('an error for people', () => {
  it('carries its code, what helps to mend the fault, and its cause', () => {
    const cause = new Error('disk full');
    const error = new HeimdallError('PORT_TAKEN', 'port 80 is in use', { port: 80 }, { cause });
    assert.ok(error instanceof Error);
    assert.deepEqual(
      [error.name, error.code, error.message, error.context, error.cause],
      ['HeimdallError', 'PORT_TAKEN', 'port 80 is in use', { port: 80 }, cause],
    );
    assert.deepEqual(new HeimdallError('NOT_FOUND', 'x').context, {});
  });

  it('is told apart by its code; codes of the system do not count', () => {
    const error = new HeimdallError('PORT_TAKEN', 'x');
    assert.equal(hasCode(error, 'PORT_TAKEN'), true);
    assert.equal(hasCode(error, 'NO_FREE_PORT'), false);
    assert.equal(hasCode(Object.assign(new Error('x'), { code: 'PORT_TAKEN' }), 'PORT_TAKEN'), false);
    assert.equal(hasCode(undefined, 'PORT_TAKEN'), false);
  });
});

it('anything that was thrown has a message', () => {
  assert.equal(messageOf(new TypeError('no such thing')), 'no such thing');
  assert.equal(messageOf('just text'), 'just text');
  assert.equal(messageOf(undefined), 'undefined');
});
