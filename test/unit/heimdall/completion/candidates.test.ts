import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createProgram } from '../../../../cmd/heimdall/cli.ts';
import { candidatesFor } from '../../../../cmd/heimdall/completion/candidates.ts';

const LOOKUPS = {
  services: async () => [{ value: 'web', description: '' }],
  instances: async () => ['web-1', '9001'].map((value) => ({ value, description: '' })),
  nodes: async () => [{ value: 'host-b', description: '' }],
};

/** @param line - without the program; what stands behind the last space is being typed. */
async function values(line: string): Promise<string[]> {
  const { words, files } = await candidatesFor(createProgram(), line.split(' '), LOOKUPS);
  return [...words.map(({ value }) => value), ...(files ? ['FILES'] : [])];
}

describe('what completes a line', () => {
  it('is a command, as far as it is typed, and none that is hidden', async () => {
    assert.deepEqual(await values('dep'), ['deploy', 'deployments']);
    assert.deepEqual(await values('servers rem'), ['remove']);
    const all = await values('');
    assert.ok(all.includes('up') && all.includes('completion'));
    assert.ok(!all.includes('complete'));
    assert.deepEqual(await values('up x'), []);
  });

  it('is an option of the command, and a value that it can have', async () => {
    assert.deepEqual(await values('servers list --stat'), ['--status']);
    assert.deepEqual(await values('servers list --status r'), ['running']);
    assert.deepEqual(await values('servers list --status=r'), ['--status=running']);
    assert.deepEqual(await values('reload --json --only p'), ['proxy']);
    assert.deepEqual(await values('completion z'), ['zsh']);
    assert.ok((await values('doctor --')).includes('--help'));
    assert.deepEqual(await values('doctor -- --j'), [], 'nothing is an option behind --');
    assert.deepEqual(await values('stress --rate '), [], 'a number that nobody can guess');
  });

  it('is a service or an instance that runs, wherever one is asked for', async () => {
    for (const line of ['deploy ', 'why ', 'services scale ', 'servers list --service '])
      assert.deepEqual(await values(line), ['web'], line);
    for (const line of ['servers get ', 'servers remove ', 'servers remove 9002 '])
      assert.deepEqual(await values(line), ['web-1', '9001'], line);
    assert.deepEqual(await values('logs '), ['web', 'web-1', '9001']);
    for (const line of ['nodes forget ', 'servers add --node ', 'deploy --node=h'])
      assert.deepEqual(await values(line), [line.endsWith('=h') ? '--node=host-b' : 'host-b'], line);
    assert.deepEqual(await values('agent --node '), [], 'that is the name of this host');
    assert.deepEqual(await values('servers get 9001 '), [], 'there is only one');
    assert.deepEqual(await values('services scale web '), [], 'how many');
    assert.deepEqual(await values('deploy --version 9 w'), ['web'], 'the 9 belongs to the option');
  });

  it('is the name of a file, which the shell knows best', async () => {
    for (const line of [
      'restore ',
      'up --config ',
      'check --config=',
      'backup ',
      'registry copy --from ',
      'init ',
      'simulate --from-log ',
      'top --token-file x',
    ]) {
      assert.deepEqual(await values(line), ['FILES'], line);
    }
  });
});
