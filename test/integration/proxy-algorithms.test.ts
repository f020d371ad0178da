import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeEngines } from '../support/engines.ts';
import { eventually, parseMessage, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

interface Asked {
  readonly server: string;
  readonly setCookie: string[];
}

async function ask(site: ProxySite, path = '/', fields: readonly string[] = []): Promise<Asked> {
  const answer = parseMessage(await site.exchange(requestText(`GET ${path}`, fields)));
  assert.equal(answer.status, 200);
  return { server: answer.all('x-server')[0] ?? '', setCookie: answer.all('set-cookie') };
}

async function servers(site: ProxySite, count: number, path?: string): Promise<string[]> {
  const names: string[] = [];
  for (let i = 0; i < count; i += 1) names.push((await ask(site, path)).server);
  return names;
}

function counts(names: readonly string[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const name of names.toSorted()) result[name] = (result[name] ?? 0) + 1;
  return result;
}

describeEngines('balancing over three backends', () => {
  it('by round robin, one after the other, also past one that is down', async () => {
    await using site = await ProxySite.withBackends(3, { service: { algorithm: 'round-robin', slowStart: null } });
    const names = await servers(site, 9);
    assert.deepEqual(counts(names), { one: 3, two: 3, three: 3 });
    assert.deepEqual(names.slice(0, 3), names.slice(3, 6));
    site.setHealth(site.upstreams()[0]!, 'unhealthy');
    assert.deepEqual(counts(await servers(site, 8)), { two: 4, three: 4 });
    site.setHealth(site.upstreams()[0]!, 'healthy');
    assert.equal(counts(await servers(site, 9))['one'], 3);
  });

  it('by weight, and by a weight that changes while it runs', async () => {
    await using site = await ProxySite.withBackends(3);
    const ports = site.upstreams().map(({ instance }) => instance.port);
    const weigh = (...weights: number[]) => {
      const weighted = ports.map((port, i) => ({ address: `127.0.0.1:${port}`, weight: weights[i] }));
      site.use([], { algorithm: 'weighted-round-robin', servers: weighted });
    };
    site.use([]);
    weigh(5, 1, 1);
    assert.deepEqual(counts(await servers(site, 14)), { one: 10, two: 2, three: 2 });
    const { algorithm, attempts } = await site.record();
    assert.deepEqual([algorithm, attempts[0]?.weight], ['weighted-round-robin', 5]);
    weigh(1, 1, 5);
    await servers(site, 14); // a raised weight comes into force by and by
    const { one = 0, two = 0, three = 0 } = counts(await servers(site, 70));
    assert.ok(one >= 9 && two >= 9 && three >= 48, JSON.stringify({ one, two, three }));
  });

  it('by least connections: nobody waits behind a request that takes long', async () => {
    await using site = await ProxySite.withBackends(3, { service: { algorithm: 'least-connections' } });
    const slow = await site.client(requestText('GET /slow?ms=100000'));
    await eventually('it is on its way', () => site.inFlight() === 1);
    const busy = site.upstreams().find(({ inFlight }) => inFlight === 1)?.picks;
    assert.equal(busy, 1);
    const names = counts(await servers(site, 10));
    assert.equal(Object.keys(names).length, 2, JSON.stringify(names));
    assert.deepEqual(Object.values(names), [5, 5]);
    slow.close();
  });

  it('by least time: the slow one gets little, once it is known', async () => {
    await using site = await ProxySite.withBackends(3, { service: { algorithm: 'least-time' } });
    const [slowest] = site.upstreams();
    const url = `http://127.0.0.1:${slowest?.instance.port}`;
    assert.equal((await fetch(`${url}/switch?delay=400`)).status, 200);
    const names = counts(await servers(site, 20));
    assert.ok((names['one'] ?? 0) <= 4, JSON.stringify(names));
  });

  it('by two random choices: everybody gets some', async () => {
    await using site = await ProxySite.withBackends(3, { service: { algorithm: 'random-two-choices' } });
    const names = counts(await servers(site, 60));
    assert.equal(Object.keys(names).length, 3, JSON.stringify(names)); // fails by chance once in 10^10 runs
  });

  it('by a hash: of a header, the cookie, the URL or the address', async () => {
    await using site = await ProxySite.withBackends(3, {
      service: { algorithm: 'ip-url-hash', slowStart: null, hash: { key: 'header:X-User' } },
    });
    const ports = site.upstreams().map(({ instance }) => instance.port);
    const serverOf = async (path: string, field: string) => (await ask(site, path, [field])).server;
    const users = Array.from({ length: 30 }, (_, i) => `X-User: user-${i}`);
    const before = new Map<string, string>();
    for (const user of users) before.set(user, await serverOf('/', user));
    assert.equal(new Set(before.values()).size, 3);
    for (const user of users)
      assert.equal(await serverOf('/other', user), before.get(user), 'same user, same instance');
    site.setHealth(site.upstreams()[0]!, 'unhealthy');
    for (const user of users) {
      const now = await serverOf('/', user);
      if (before.get(user) === 'one') assert.notEqual(now, 'one');
      else assert.equal(now, before.get(user), 'a client moved though its instance is there');
    }
    site.setHealth(site.upstreams()[0]!, 'healthy');
    site.use(ports, { algorithm: 'ip-url-hash', slowStart: null, hash: { key: 'url' } });
    const paths = Array.from({ length: 20 }, (_, i) => `/page-${i}`);
    const byPath = await Promise.all(paths.map((path) => serverOf(path, 'X: y')));
    assert.equal(new Set(byPath).size, 3);
    assert.deepEqual(await Promise.all(paths.map((path) => serverOf(path, 'X: z'))), byPath);
    site.use(ports, { algorithm: 'ip-url-hash', slowStart: null, hash: { key: 'cookie:session' } });
    const sessions = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((id) => `Cookie: x=1; session=${id}`);
    const bySession = await Promise.all(sessions.map((cookie) => serverOf('/', cookie)));
    assert.deepEqual(await Promise.all(sessions.map((cookie) => serverOf('/x', cookie))), bySession);
    site.use(ports, { algorithm: 'ip-url-hash', slowStart: null, hash: { key: 'ip' } });
    assert.equal(new Set(await servers(site, 10)).size, 1);
  });

  it('by a hash of the address that a trusted proxy names', async () => {
    await using site = await ProxySite.withBackends(3, {
      service: { algorithm: 'ip-url-hash', hash: { key: 'ip' } },
      trustedProxies: ['127.0.0.1'],
    });
    const names = new Set<string>();
    for (let i = 0; i < 30; i += 1) names.add((await ask(site, '/', [`X-Forwarded-For: 203.0.113.${i}`])).server);
    assert.equal(names.size, 3);
  });

  it('by a sticky cookie, which is issued once and honoured until its instance is gone', async () => {
    await using site = await ProxySite.withBackends(3, { service: { algorithm: 'sticky-round-robin' } });
    const first = await ask(site);
    assert.equal(first.setCookie.length, 1);
    assert.match(first.setCookie[0] ?? '', /^heimdall_web=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
    const cookie = `Cookie: other=1; ${first.setCookie[0]?.split(';', 1)[0]}`;
    for (let i = 0; i < 6; i += 1)
      assert.deepEqual(await ask(site, '/', [cookie]), { server: first.server, setCookie: [] });
    assert.equal(new Set(await servers(site, 6)).size, 3, 'new clients are spread');
    const names = ['one', 'two', 'three'];
    site.setHealth(site.upstreams()[names.indexOf(first.server)]!, 'unhealthy');
    const moved = await ask(site, '/', [cookie]);
    assert.notEqual(moved.server, first.server);
    assert.equal(moved.setCookie.length, 1, 'the client is tied to its new instance');
  });

  // A client that makes its cookie up, or changes it, wants to choose its instance, or to find out what is there.
  it('by no cookie that it did not issue', async () => {
    await using site = await ProxySite.withBackends(3, { service: { algorithm: 'sticky-round-robin' } });
    const id = site.upstreams()[0]?.id;
    const forged = [`heimdall_web=${id}`, 'heimdall_web=', `heimdall_web=${'A'.repeat(22)}`, 'heimdall_web'];
    for (const value of forged) {
      const names = new Set<string>();
      for (let i = 0; i < 3; i += 1) {
        const { server, setCookie } = await ask(site, '/', [`Cookie: ${value}`]);
        names.add(server);
        assert.equal(setCookie.length, 1, value);
      }
      assert.equal(names.size, 3, `${value} chose an instance`);
    }
  });

  it('with a cookie that never leaves TLS where a trusted proxy says that TLS is used', async () => {
    await using site = await ProxySite.withBackends(1, {
      service: { algorithm: 'sticky-round-robin' },
      trustedProxies: ['127.0.0.1'],
    });
    assert.match((await ask(site, '/', ['X-Forwarded-Proto: https'])).setCookie[0] ?? '', /; Secure$/);
    assert.doesNotMatch((await ask(site)).setCookie[0] ?? '', /Secure/);
  });

  it('by another algorithm from one request to the next', async () => {
    await using site = await ProxySite.withBackends(3);
    const ports = site.upstreams().map(({ instance }) => instance.port);
    assert.equal(new Set(await servers(site, 3)).size, 3);
    site.use(ports, { algorithm: 'ip-url-hash' });
    assert.equal(new Set(await servers(site, 5, '/same')).size, 1);
    site.use(ports, { algorithm: 'round-robin' });
    assert.equal(new Set(await servers(site, 3)).size, 3);
  });
});
