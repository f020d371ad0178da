import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CommandError, UsageError } from '../../../cmd/heimdall/command-error.ts';
import { failureOf } from '../../../cmd/heimdall/failure.ts';
import { ConfigError } from '../../../internal/config/problem.ts';

function thrownBy(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe('why a command failed', () => {
  it('is told with the exit code that the command chose', () => {
    const { exitCode, message } = failureOf(new UsageError('--rate: expected a number'));
    assert.deepEqual([exitCode, message], [2, '--rate: expected a number']);
    assert.deepEqual(failureOf(new CommandError(3, 'nobody answers', { url: 'http://a' })), {
      exitCode: 3,
      message: 'nobody answers',
      context: { url: 'http://a' },
    });
  });

  it('names the problems of a configuration for scripts', () => {
    const problems = [{ path: 'proxy.port', message: 'expected a port', source: 'file' }] as const;
    const { exitCode, context } = failureOf(new ConfigError(problems, 'config.json'));
    assert.deepEqual([exitCode, context], [1, { problems }]);
  });

  it('has a stack only when it is a fault of ours', () => {
    assert.doesNotMatch(failureOf(thrownBy(() => readFileSync('/nowhere'))).message, /\n/);
    assert.match(failureOf(new TypeError('x is undefined')).message, /\n +at /);
  });
});
