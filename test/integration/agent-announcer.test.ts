import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { AnnouncementRefused } from '../../internal/agent/announcer.ts';
import { ManagerAnnouncer } from '../../internal/agent/manager-announcer.ts';
import { AgentSettingsSchema, type AppSettings } from '../../internal/agent/settings.ts';
import { HeimdallError } from '../../internal/model/errors.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { api, FakeManager } from '../unit/api/fake-manager.ts';

const TOKEN = 'sesame-open-sesame';
const log = createLogger({ name: 'test', level: 'silent' });

async function announced(announcer: ManagerAnnouncer, app: AppSettings): Promise<readonly string[]> {
  const { id, host } = await announcer.announce(app);
  return [id, host];
}

describe('an agent and its managers', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  function announcerTo(managers: readonly string[], token = TOKEN, readToken = async () => token) {
    const settings = AgentSettingsSchema.parse({ node: 'host-b', managers, apps: [{ service: 'web', port: 8_080 }] });
    const announcer = new ManagerAnnouncer({ settings, token, readToken, log, patienceMs: 1_500 });
    const [app] = settings.apps;
    assert.ok(app);
    return { announcer, app };
  }

  it('talk with signatures: the token itself does not travel', async () => {
    const manager = new FakeManager();
    const fields: string[] = [];
    const app = api({ manager, token: () => TOKEN });
    const url = await serve((request, response) => {
      fields.push(...Object.values(request.headers).map(String));
      app(request, response);
    });
    const { announcer, app: web } = announcerTo([url]);
    assert.deepEqual(await announced(announcer, web), ['web-9000', '127.0.0.1']);
    assert.deepEqual(await announcer.beat([{ id: 'web-9000', isUp: false, cause: 'x'.repeat(1_000) }]), {
      unknown: [],
      removed: [],
    });
    await announcer.withdraw(['web-9000'], AbortSignal.timeout(10_000));
    assert.deepEqual(
      manager.calls.map(([method]) => method),
      ['announced.register', 'announced.heartbeat', 'announced.deregister'],
    );
    assert.ok(!fields.some((field) => field.includes(TOKEN)));
  });

  it('are told apart by who answers as a manager does: the next one is asked in place of anything else', async () => {
    const garbage: readonly RequestListener[] = [
      (_request, response) => response.end('<html>hello</html>'),
      (_request, response) => response.end('{"instances": "all", "intervalMs": -1}'),
      (_request, response) => response.writeHead(502).end('bad gateway'),
      (request) => request.socket.destroy(),
      () => {}, // never answers
    ];
    const strange = await Promise.all(garbage.map(serve));
    const manager = await serve(api({ token: () => TOKEN }));
    const { announcer, app } = announcerTo([...strange, manager]);
    assert.equal((await announcer.announce(app)).id, 'web-9000');
    assert.equal(announcer.place, manager);
    assert.deepEqual((await announcer.beat([{ id: 'web-9000', isUp: true, cause: '' }])).unknown, []);

    const { announcer: lost } = announcerTo(strange);
    await assert.rejects(lost.beat([{ id: 'web-9000', isUp: true, cause: '' }]), ({ message }: Error) => {
      return strange.every((url) => message.includes(url)) && message.includes('no server manager of heimdall');
    });
  });

  it('share out a drain: when signs of life tell that a manager hangs, the next one goes on with it', async () => {
    const asked = Promise.withResolvers<void>();
    const hanging = await serve(({ url = '' }) => {
      if (url.startsWith('/servers/deregister')) asked.resolve();
    });
    const manager = new FakeManager();
    const { announcer } = announcerTo([hanging, await serve(api({ manager, token: () => TOKEN }))]);
    const out = announcer.withdraw(['web-9000'], AbortSignal.timeout(20_000));
    await asked.promise;
    await announcer.beat([{ id: 'web-9000', isUp: true, cause: '' }]);
    await out;
    assert.deepEqual(
      manager.calls.map(([method]) => method),
      ['announced.heartbeat', 'announced.deregister'],
    );
  });

  it('do not agree on the token: that is told as it is', async () => {
    const url = await serve(api({ token: () => TOKEN }));
    const { announcer, app } = announcerTo([url], 'another-token-than-that');
    await assert.rejects(announcer.announce(app), /refuses: The signature does not fit/);
    const settings = AgentSettingsSchema.parse({ node: 'b', managers: [url], apps: [{ service: 'web', port: 1 }] });
    const silent = new ManagerAnnouncer({ settings, token: undefined, readToken: async () => undefined, log });
    await assert.rejects(silent.announce(app), /refuses: Send the token/);
  });

  it('agree on another token when it has changed where it is kept', async () => {
    const kept = ['unreadable', 'not-that-one-either', TOKEN];
    const url = await serve(api({ token: () => TOKEN }));
    const { announcer, app } = announcerTo([url], 'the-token-of-yesterday', async () => {
      const token = kept.shift() ?? TOKEN;
      if (token === 'unreadable') throw new Error('ENOENT');
      return token;
    });
    for (let tries = 0; tries < 2; tries += 1)
      await assert.rejects(announcer.announce(app), /the token is another one/);
    assert.equal((await announcer.announce(app)).id, 'web-9000');
  });

  it('disagree about one app: that is no reason to ask another manager', async () => {
    const calls: string[] = [];
    const refusing = new FakeManager();
    refusing.announced.register = async () => {
      calls.push('asked');
      throw new HeimdallError('SERVICE_NOT_FOUND', 'there is no service web; configured: api');
    };
    const urls = [await serve(api({ manager: refusing })), await serve(api({ manager: refusing }))];
    const { announcer, app } = announcerTo(urls);
    await assert.rejects(announcer.announce(app), (error) => {
      return error instanceof AnnouncementRefused && error.message.includes('configured: api');
    });
    assert.deepEqual(calls, ['asked']);
  });
});
