import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { managerAddress } from '../../../../cmd/heimdall/operate/manager-address.ts';

const CONFIGURED = async () => ({ host: '0.0.0.0', port: 7100, token: 'of-config' });
const unread = async () => assert.fail('the configuration was read');

describe('where the manager is', () => {
  let folder = '';
  let tokenFile = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-address-'));
    tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'of-file\n');
  });
  after(() => rm(folder, { recursive: true }));

  it('is what the configuration says, with its token', async () => {
    const expected = { baseUrl: 'http://localhost:7100', token: 'of-config' };
    assert.deepEqual(await managerAddress({}, {}, CONFIGURED), expected);
  });

  it('is what is named, before what the environment says; then no configuration is needed', async () => {
    const env = { HEIMDALL_MANAGER: 'http://a:1/', HEIMDALL_TOKEN: 'of-env' };
    assert.deepEqual(await managerAddress({}, env, unread), { baseUrl: 'http://a:1', token: 'of-env' });
    assert.deepEqual(await managerAddress({ manager: 'b:2', tokenFile }, env, unread), {
      baseUrl: 'http://b:2',
      token: 'of-file',
    });
  });

  // Somebody is told to try `heimdall servers list --manager http://evil`: the token of this machine must stay here.
  it('gets the token of the configuration only when that is named, too', async () => {
    assert.equal((await managerAddress({ manager: 'b:2' }, {}, unread)).token, undefined);
    const named = { manager: 'b:2', config: 'config.json' };
    assert.deepEqual(await managerAddress(named, {}, CONFIGURED), { baseUrl: 'http://b:2', token: 'of-config' });
  });

  for (const manager of ['ftp://a', 'http://user:pass@a', 'http://a?x=1', '']) {
    it(`refuses ${JSON.stringify(manager)}`, async () => {
      await assert.rejects(managerAddress({ manager }, {}, unread), { exitCode: 2, message: /^--manager: expected/ });
    });
  }

  it('does not repeat a password', async () => {
    await assert.rejects(managerAddress({ manager: 'http://ann:secret@a' }, {}, unread), /not "http:\/\/…@a"$/);
  });

  it('refuses a file without a token, and one that is not there', async () => {
    const empty = join(folder, 'empty');
    await writeFile(empty, '\n');
    await assert.rejects(managerAddress({ tokenFile: empty }, {}, CONFIGURED), /--token-file: .*empty has to hold/);
    await assert.rejects(managerAddress({ tokenFile: join(folder, 'no') }, {}, CONFIGURED), /--token-file: ENOENT/);
  });

  it('refuses a variable that no field can carry, and does not show it', async () => {
    const env = { HEIMDALL_MANAGER: 'a:1', HEIMDALL_TOKEN: 'open\nsesame' };
    await assert.rejects(managerAddress({}, env, CONFIGURED), {
      message: 'HEIMDALL_TOKEN has to hold one token, and nothing else',
    });
  });
});
