import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/e2e-http.ts';
import { FreshConnections, replace } from '../support/e2e-reload.ts';
import { System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

const FILE = { output: 'requests/access.log', format: 'json', rotation: { maxSize: '16kb', keep: 1_000 } };

/** Of the folder of the access log. */
async function linesOf({ dir }: System): Promise<string[]> {
  const folder = join(dir, 'requests');
  const texts = (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8'));
  return (await Promise.all(texts)).flatMap((text) => text.split('\n').slice(0, -1));
}

describe('the access log of a load balancer', () => {
  it('has each request once, over threads, rotation, a successor, another engine, and the end', async () => {
    await using system = await System.create(({ own: [a] }) => ({
      services: [{ name: 'web', servers: [`127.0.0.1:${a}`], healthCheck: { interval: '250ms', timeout: '3s' } }],
    }));
    const { proxy: port, admin, own } = system.ports;
    const section = (changes: object) => ({ proxy: { host: '127.0.0.1', port, admin: { port: admin }, ...changes } });
    await system.configure(section({ threads: 2, accessLog: FILE }));
    await system.backend(own[0] ?? 0).printed('listens on');
    const first = system.start('load-balancer');
    await first.isReady();
    await system.inRotation(1);
    const fresh = new FreshConnections(port, 4);
    await fresh.more(40);
    await system.configure(section({ threads: 2, engine: 'middleware', accessLog: FILE }));
    const { successor } = await replace(system, 'proxy');
    await fresh.more(40);
    await fresh.stop();
    assert.deepEqual(fresh.failures, []);

    await system.configure(section({ threads: 2, engine: 'middleware', accessLog: { format: 'line of {target}' } }));
    await eventually('the change is in force', async () => {
      await system.get('/shown');
      return first.output.includes('line of /shown\n');
    });
    await eventually('lines are counted', async () => {
      return /^heimdall_access_log_lines_total [1-9]/m.test((await ask(`${system.admin}/metrics`)).body);
    });
    process.kill(successor, 'SIGTERM');
    await first.exited;

    const lines = (await linesOf(system)).map((line) => JSON.parse(line));
    const shown = lines.filter(({ target }) => target === '/shown').length; // while the change was not in force
    assert.equal(lines.length - shown, fresh.answers);
    assert.equal(new Set(lines.map(({ id }) => id)).size, lines.length);
    assert.ok(lines.every(({ termination, service }) => termination === 'completed' && service === 'web'));
    assert.ok((await readdir(join(system.dir, 'requests'))).length > 1, 'it was put aside');
  });
});
