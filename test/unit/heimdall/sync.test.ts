import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { chosenServices } from '../../../cmd/heimdall/sync/chosen-services.ts';
import { syncHaproxy } from '../../../cmd/heimdall/sync/sync-haproxy.ts';
import { syncNginx } from '../../../cmd/heimdall/sync/sync-nginx.ts';
import { ServiceSchema } from '../../../internal/model/service.ts';

const SERVICES = ['web', 'api'].map((name) => ServiceSchema.parse({ name }));
const GIVEN = { once: false, dryRun: true, json: false, out: 'up.conf', test: 'true', reload: 'true' };

describe('heimdall sync', () => {
  it('takes all services, or those that are named', () => {
    assert.deepEqual(chosenServices(null)(SERVICES), SERVICES);
    assert.deepEqual(
      chosenServices(['api'])(SERVICES).map(({ name }) => name),
      ['api'],
    );
  });

  it('refuses a service that is not configured', () => {
    const message = 'no service "wbe" is configured; did you mean web?';
    assert.throws(() => chosenServices(['wbe'])(SERVICES), { exitCode: 2, message });
    const unlike = 'no service "mail" is configured; there are web, api';
    assert.throws(() => chosenServices(['mail'])(SERVICES), { exitCode: 2, message: unlike });
  });

  it('refuses a backend whose name could be more than a word of a command', async () => {
    for (const backend of ['web=be web', 'web=a;b', 'Web', '=x', 'web=']) {
      await assert.rejects(syncHaproxy({ ...GIVEN, socket: 'x', backend: [backend] }), {
        exitCode: 2,
        message: /^--backend ".*": expected a service such as "web", or "web=be_web"$/,
      });
    }
  });

  it('names the line of a mistake in a template', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heimdall-template-'));
    const template = join(folder, 'template');
    await writeFile(template, '{{#services}}\n{{adress}}{{/services}}');
    await assert.rejects(syncNginx({ ...GIVEN, template }), {
      exitCode: 2,
      message: /template, line 2: \{\{adress\}\} is not known within \{\{#services\}\}; there are \{\{service\}\}/,
    });
    await rm(folder, { recursive: true });
    await assert.rejects(syncNginx({ ...GIVEN, template }), { exitCode: 2, message: /^--template .*ENOENT/ });
  });
});
