import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCommand } from '../../../internal/sync/nginx/command.ts';

describe('a command that the user has given', () => {
  it('succeeds or not, and what it says is told', async () => {
    assert.deepEqual(await runCommand('echo fine'), { succeeded: true, said: 'fine' });
    assert.deepEqual(await runCommand('printf "\\033[2Jbad" >&2; exit 3'), { succeeded: false, said: 'bad' });
    assert.deepEqual(await runCommand('exit 3'), { succeeded: false, said: 'it ended with code 3 and said nothing' });
  });

  it('is over when it ends, even if something that it has started goes on', async () => {
    const startedAt = performance.now();
    const { succeeded, said } = await runCommand('sleep 60 & echo $!');
    assert.ok(succeeded && performance.now() - startedAt < 30_000);
    process.kill(Number(said));
  });

  it('is killed with all that it has started when it takes too long', async () => {
    const { succeeded, said } = await runCommand('sleep 60; echo done', 50);
    assert.deepEqual([succeeded, said], [false, 'not done after 0.05 s; it ended with SIGKILL and said nothing']);
  });
});
