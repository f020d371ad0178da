import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { banner, waitForInstances } from '../../../cmd/heimdall/banner.ts';
import type { LoadedConfig } from '../../../internal/config/load.ts';
import { ConfigSchema } from '../../../internal/config/schema.ts';

const ADDRESSES = {
  api: 'http://127.0.0.1:7000',
  proxy: 'http://0.0.0.0:8080',
  admin: 'http://[::]:8081',
};
const WEB = {
  id: 'web-9001-ab12',
  service: 'web',
  url: 'http://127.0.0.1:9001',
  status: 'running',
  pid: 4711,
} as const;
const REMOTE = {
  id: 'api@10.0.0.7:80',
  service: 'api',
  url: 'http://10.0.0.7:80',
  status: 'running',
  pid: null,
} as const;

function loaded(config: unknown = {}, path: string | null = '/srv/config.json'): LoadedConfig {
  return { config: ConfigSchema.parse(config), path, overrides: [] };
}

describe('the banner', () => {
  it('says what runs where, with addresses that can be called', () => {
    const text = banner(loaded(), ADDRESSES, [WEB, REMOTE], false);
    assert.match(text, /^\nheimdall is up \(\/srv\/config\.json\)\n/);
    assert.match(text, /load balancer +http:\/\/localhost:8080 +\(admin http:\/\/localhost:8081\)/);
    assert.match(text, /server manager +http:\/\/127\.0\.0\.1:7000\n/);
    assert.match(text, /web-9001-ab12 +http:\/\/127\.0\.0\.1:9001 +running, pid 4711\n/);
    assert.match(text, /api@10\.0\.0\.7:80 +http:\/\/10\.0\.0\.7:80 +running\n/);
    assert.doesNotMatch(text, /0\.0\.0\.0|\[::\]/);
  });

  it('gives commands to try, and none that removes what was not spawned', () => {
    const text = banner(loaded(), ADDRESSES, [REMOTE, WEB], false);
    assert.match(text, /\n {2}curl http:\/\/localhost:8080\/\n/);
    assert.match(text, /\n {2}curl -X POST http:\/\/127\.0\.0\.1:7000\/servers\/add\n/);
    assert.match(text, /\n {2}curl -X DELETE 'http:\/\/127\.0\.0\.1:7000\/servers\/remove\?port=9001'\n/);
    assert.doesNotMatch(banner(loaded(), ADDRESSES, [REMOTE], false), /DELETE/);
  });

  // The banner stays in terminals, screen shots and logs:
  // the token must not be in it.
  it('shows how to send the token, and not the token', () => {
    const token = 'a-token-of-enough-length';
    const text = banner(loaded({ manager: { token } }), ADDRESSES, [WEB], false);
    assert.equal(text.split('-H "Authorization: Bearer $HEIMDALL_TOKEN"').length - 1, 3);
    assert.doesNotMatch(text, new RegExp(token));
  });

  it('says when there is no configuration file, and when there are no instances', () => {
    const text = banner(loaded({}, null), ADDRESSES, [], false);
    assert.match(text, /built-in sample configuration/);
    assert.match(text, /no instances yet/);
  });
});

/** A manager that gives one answer after the other, and the last one for ever. */
async function managerThatSays(...answers: readonly (readonly [status: number, body: unknown])[]) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const [status, body] = answers[Math.min(requests.length, answers.length - 1)] ?? [500, null];
    requests.push(request);
    response.writeHead(status).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, requests, [Symbol.dispose]: close };
}

describe('waiting for the instances', () => {
  it('lasts until none is starting any more', async () => {
    using manager = await managerThatSays([200, [{ ...WEB, status: 'starting' }, REMOTE]], [200, [WEB, REMOTE]]);
    assert.deepEqual(await waitForInstances(manager.url, undefined), [WEB, REMOTE]);
    assert.equal(manager.requests.length, 2);
  });

  it('does not last for one that failed', async () => {
    using manager = await managerThatSays([200, [{ ...WEB, status: 'error', pid: null }]]);
    const [instance] = await waitForInstances(manager.url, undefined);
    assert.equal(instance?.status, 'error');
  });

  it('survives a manager that has nothing to say for a moment', async () => {
    using manager = await managerThatSays([503, { code: 'REGISTRY_UNAVAILABLE' }], [200, [WEB]]);
    assert.deepEqual(await waitForInstances(manager.url, undefined), [WEB]);
  });

  it('sends the token when there is one', async () => {
    using manager = await managerThatSays([200, [WEB]]);
    await waitForInstances(manager.url, 'sesame');
    await waitForInstances(manager.url, undefined);
    assert.deepEqual(
      manager.requests.map(({ headers }) => headers.authorization),
      ['Bearer sesame', undefined],
    );
  });
});
