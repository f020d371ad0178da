import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { explainText } from '../../cmd/heimdall/explain-text.ts';
import { whyText } from '../../cmd/heimdall/why-text.ts';
import { ExplainedRequestSchema } from '../../internal/model/explained-request.ts';
import { startAdmin } from '../../internal/proxy/admin.ts';
import { outlookOf } from '../../internal/proxy/explain/outlook.ts';
import { RecentTraffic } from '../../internal/proxy/recent-traffic.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { closedPort, RawBackend, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const MAIN = join(import.meta.dirname, '../../cmd/heimdall/main.ts');
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A site whose first instance refuses connections, so that its first request is repeated. */
async function siteOf() {
  const backend = await RawBackend.answering(OK);
  const site = await ProxySite.open([await closedPort(), backend.port]);
  site.own(backend);
  return site;
}

async function command(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

describe('heimdall explain', () => {
  it('says for people who could be picked, who was, and what became of it', async () => {
    await using site = await siteOf();
    await site.exchange(requestText('GET /shop', ['X-Request-Id: abc']));
    const { found } = await site.engine.explain('abc');
    const output = explainText(ExplainedRequestSchema.parse(found));
    assert.match(
      output,
      /^GET example\.com\/shop, from 127\.0\.0\.1\n {2}id abc, at \S+, thread 0\n {2}to web \(round-robin\): status 200/,
    );
    const traced = explainText({ ...ExplainedRequestSchema.parse(found), trace: { id: 'a1b2', sampled: false } });
    assert.doesNotMatch(output, /trace/);
    assert.match(traced, /\n {2}trace a1b2, of which no spans are exported\n/);
    assert.match(output, /picked web@\S+: it is its turn\n/);
    assert.match(output, /\n {2}web@\S+ +- .* excluded: tried\n/);
    assert.match(
      output,
      /\n {2}web@\S+ .* connect-failed: ECONNREFUSED \(no connection\)\n.* completed \(new connection\)\n$/,
    );
  });

  it('says what a request that was refused has done wrong', async () => {
    await using site = await siteOf();
    await site.exchange(requestText('GET /', ['X-Request-Id: abc', 'Host: b']));
    const { found } = await site.engine.explain('abc');
    assert.match(
      explainText(ExplainedRequestSchema.parse(found)),
      /to no service: status 400.*\n {2}refused: host-repeated\n$/,
    );
  });
});

describe('heimdall why', () => {
  it('has a row and a sentence for each instance', async () => {
    await using site = await siteOf();
    const pool = site.fleet.pool('web');
    assert.ok(pool);
    const output = whyText(outlookOf(pool));
    assert.match(output, /^web \(round-robin\): 2 of 2 get requests\.\n/);
    assert.equal(output.match(/\n {2}web@\S+: Gets requests: 50 % of the weights\./g)?.length, 2);
  });

  it('asks the load balancer of the configuration; exit code 1 when that knows no such service', async () => {
    await using site = await siteOf();
    const admin = await startAdmin(
      {
        version: '1',
        pools: () => site.fleet.pools(),
        status: () => ({}),
        rateLimits: () => ({}),
        recent: new RecentTraffic(systemClock, () => site.fleet.pools()),
        rules: () => [],
        explain: (id) => site.engine.explain(id),
        metrics: async () => [],
        testAlerts: async () => [],
        reload: async () => ({}),
        relayKey: 'k',
        guard: () => ({ allowedHosts: [], allowedHostsKey: '', token: 'sixteen-characters' }),
        log: createLogger({ name: 'test', level: 'silent' }),
      },
      '127.0.0.1',
      0,
    );
    const folder = await mkdtemp(join(tmpdir(), 'heimdall-explain-'));
    try {
      const config = join(folder, 'config.json');
      const settings = { manager: { token: 'sixteen-characters' }, proxy: { admin: { port: admin.port } } };
      await writeFile(config, JSON.stringify(settings));
      const [known, unknown] = await Promise.all([
        command('why', 'web', '--config', config, '--json'),
        command('explain', 'a/b', '--config', config),
      ]);
      assert.deepEqual([known.code, JSON.parse(known.stdout).service], [0, 'web'], known.stderr);
      assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
      assert.match(unknown.stderr, /^heimdall: No request with this id is known/);
    } finally {
      await admin.close(0);
      await rm(folder, { recursive: true });
    }
  });
});
