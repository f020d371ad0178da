import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const MODULE = join(import.meta.dirname, '../../../cmd/runtime/require-node.ts');

/** What a process says that takes itself for this version of Node. */
function runUnder(version: string) {
  const script = `
    Object.defineProperty(process, 'versions', { value: { node: ${JSON.stringify(version)} } });
    Object.defineProperty(process, 'version', { value: 'v' + process.versions.node });
    const { requireNode } = await import(${JSON.stringify(MODULE)});
    requireNode();
    console.log('goes on');
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  return { status, stdout: String(stdout), stderr: String(stderr) };
}

describe('requireNode', () => {
  it('refuses a Node that is too old in one line that says what to do', () => {
    const { status, stdout, stderr } = runUnder('22.99.1');
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^heimdall needs Node 24 or newer, this is v22\.99\.1: install a newer Node, .*\.\n$/);
  });

  it('lets the oldest supported Node and newer ones go on', () => {
    for (const version of ['24.0.0', '26.10.0', '100.0.0']) {
      assert.deepEqual(runUnder(version), { status: 0, stdout: 'goes on\n', stderr: '' });
    }
  });
});
