import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { processTree } from '../../bench/proc/process-tree.ts';
import { Workshop } from '../../bench/workshop.ts';
import { eventually } from '../../support/e2e-wait.ts';

/** A process with a child of its own that both ignore SIGTERM. */
const STUBBORN = ['sh', '-c', "trap '' TERM; sleep 600 & wait"];

describe('a workshop', () => {
  it('leaves neither processes nor files behind', { skip: process.platform !== 'linux' }, async () => {
    const workshop = await Workshop.open(new AbortController().signal, 50);
    const file = await workshop.file('x.cfg', 'x');
    const { pid } = await workshop.spawn(STUBBORN, { cores: null });
    await eventually('it has a child', async () => (await processTree(pid)).length === 2);
    const pids = await processTree(pid);

    await workshop[Symbol.asyncDispose]();

    assert.equal(existsSync(file), false);
    await eventually('all are gone', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
  });

  it('ends its processes when the run is to end, and starts no more', async () => {
    const ending = new AbortController();
    await using workshop = await Workshop.open(ending.signal);
    const child = await workshop.spawn(['sleep', '600'], { cores: null });
    ending.abort(new Error('ended by SIGINT'));
    await child.ended;
    assert.equal(child.running, false);
    await assert.rejects(workshop.spawn(['sleep', '600'], { cores: null }), /ended by SIGINT/);
  });

  it('tells that a program cannot be started', async () => {
    await using workshop = await Workshop.open(new AbortController().signal);
    await assert.rejects(workshop.spawn(['no-such-program'], { cores: null }), /ENOENT/);
  });
});
