import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { mainOf } from '../support/e2e-process.ts';

describe('a command whose output nobody reads any more', () => {
  it('ends, and says nothing about it', async () => {
    const child = spawn(process.execPath, [mainOf('heimdall'), 'completion', 'bash'], { cwd: tmpdir() });
    child.stdout.destroy(); // as `| head -0` does
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    assert.deepEqual([code, said], [0, '']);
  });
});
