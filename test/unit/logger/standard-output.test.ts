import assert from 'node:assert/strict';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { it } from 'node:test';
import { standardOutput } from '../../../pkg/logger/standard-output.ts';

/** As proc(5) tells of an open file. */
function isNonBlocking(fd: number): boolean {
  const [, flags = ''] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
  return (Number.parseInt(flags, 8) & constants.O_NONBLOCK) !== 0;
}

// Ctrl-S in the terminal of `heimdall up`: whoever logged next stood still until Ctrl-Q, and its heartbeat with it.
it('a terminal is written to without waiting for it, and stays as it is for others', {
  skip: process.platform !== 'linux',
}, () => {
  const terminal = openSync('/dev/null', 'w');
  const own = standardOutput({ fd: terminal, isTTY: true });
  assert.deepEqual([isNonBlocking(own), isNonBlocking(terminal)], [true, false]);
  closeSync(own);
  assert.equal(standardOutput({ fd: terminal, isTTY: false }), terminal);
  closeSync(terminal);
});
