import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Vitals } from '../../../internal/server/vitals.ts';
import { until } from '../../support/server-fixture.ts';

const MB = 1024 ** 2;
/** Keeps memory, has a child that does, too, and does sums. */
const GREEDY = `
  const memory = Buffer.alloc(64 * ${MB}, 1);
  if (process.argv[1] !== 'child') require('node:child_process').spawn(process.execPath, ['-e', process.env.CODE, 'child'], { stdio: 'inherit' });
  console.log('ready');
  const end = Date.now() + 20000;
  const work = () => { for (let i = 0; i < 1e6; i += 1); if (Date.now() < end) setImmediate(work); };
  work();
  memory.length;
`;

describe('the vitals', { skip: process.platform !== 'linux' }, () => {
  it('are those of all processes of a group together', async () => {
    const child = spawn(process.execPath, ['-e', GREEDY], {
      detached: true,
      env: { ...process.env, CODE: GREEDY },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const group = child.pid ?? 0;
    try {
      let words = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (words += text));
      await until('both to be ready', () => words.split('ready').length > 2);
      const vitals = new Vitals();
      await vitals.look(new Set([group]));
      const first = vitals.of(group);
      assert.ok((first?.memory ?? 0) > 128 * MB, `${first?.memory}`);
      assert.equal(first?.cpu, null);
      await until('some work to be done', async () => {
        await vitals.look(new Set([group]));
        return (vitals.of(group)?.cpu ?? 0) > 10;
      });
      await vitals.look(new Set());
      assert.equal(vitals.of(group), undefined);
    } finally {
      process.kill(-group, 'SIGKILL');
      await once(child, 'exit');
    }
  });
});
