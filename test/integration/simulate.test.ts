import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { UsageError } from '../../cmd/heimdall/command-error.ts';
import { simulation } from '../../cmd/heimdall/simulate.ts';
import { ProxySite } from '../support/proxy-site.ts';
import { lineOf } from '../support/request-record.ts';

const MAIN = join(import.meta.dirname, '../../cmd/heimdall/main.ts');

const CourseSchema = z.object({
  requests: z.number(),
  p99: z.number().nullable(),
  shares: z.record(z.string(), z.number()),
});
const ReplaySchema = z.object({
  algorithm: z.string(),
  unusable: z.record(z.string(), z.number()),
  recorded: CourseSchema,
  simulated: z.array(CourseSchema.extend({ algorithm: z.string() })),
});
const ScenarioSchema = z.array(z.object({ name: z.string(), seed: z.number(), results: z.array(CourseSchema) }));

/** As a user calls it. */
async function command(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, 'simulate', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

const PLAIN = { seed: '1', balancers: '1', json: false };

describe('heimdall simulate', () => {
  let folder = '';
  let log = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-simulate-'));
    log = join(folder, 'requests.log');
    await using site = await ProxySite.withBackends(2, { service: { algorithm: 'least-connections' } });
    for (let n = 0; n < 6; n += 1) await site.statusOf('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await site.record(5);
    const lines = ['{"level":30,"msg":"listening"}\n', '{"level":30,"msg\n'];
    for (const record of site.records) lines.push(`${lineOf(record)}\n`);
    await writeFile(log, lines.join(''));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  it('replays what an engine has logged, and tells what it left out', async () => {
    const { code, stdout, stderr } = await command('--from-log', log, '--json');
    assert.deepEqual([code, stderr], [0, '']);
    const { algorithm, unusable, recorded, simulated } = ReplaySchema.parse(JSON.parse(stdout));
    assert.equal(algorithm, 'least-connections');
    assert.deepEqual(unusable, { 'are other messages of the log': 1, 'are not JSON': 1 });
    assert.deepEqual([recorded.requests, Object.values(recorded.shares)], [6, [0.5, 0.5]]);
    assert.equal(simulated.length, 6);
    for (const { requests, p99 } of simulated) assert.ok(requests === 6 && p99 !== null && p99 > 0);
  });

  it('fails with 1 for want of a log, and with 2 for what it does not know', async () => {
    const missing = await command('--from-log', join(folder, 'missing.log'));
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^heimdall: cannot read the log: ENOENT.*missing\.log/);
    const [unknown, both] = [
      await command('--scenario', 'none'),
      await command('--scenario', 'slow', '--from-log', log),
    ];
    assert.deepEqual([unknown.code, both.code], [2, 2]);
    assert.match(unknown.stderr, /there is no scenario "none", only slow, stalls,/);
  });

  it('prints it for people, with the algorithms that are asked for', async () => {
    const algorithm = ['least-time', 'ip-url-hash'];
    const printed = await simulation({ ...PLAIN, fromLog: log, service: 'web', algorithm });
    assert.match(printed, /6 requests to web in \d+ s by least-connections/);
    assert.match(printed, /left out: 1 lines that are not JSON/);
    assert.match(printed, /^recorded +\d/m);
    assert.match(printed, /^least-time +\d/m);
    assert.match(printed, /^ip-url-hash +\d/m);
    assert.doesNotMatch(printed, /^round-robin/m);
  });

  it('compares the algorithms in a scenario', async () => {
    const given = { ...PLAIN, scenario: 'newcomer', algorithm: ['round-robin'], seed: '7' };
    const [scenario] = ScenarioSchema.parse(JSON.parse(await simulation({ ...given, json: true })));
    assert.deepEqual([scenario?.name, scenario?.seed, scenario?.results.length], ['newcomer', 7, 1]);
    assert.match(await simulation({ ...given, json: false }), /^round-robin +\d+\.\d +\d/m);
  });

  it('has several load balancers share the backends when it is told to', async () => {
    const given = { ...PLAIN, scenario: 'calm', algorithm: ['least-connections'] };
    const [one, ten] = await Promise.all([simulation(given), simulation({ ...given, balancers: '10' })]);
    assert.match(ten, /through 10 load balancers/);
    assert.doesNotMatch(one, /load balancers/);
    const row = (text: string) => /^least-connections .*/m.exec(text)?.[0];
    assert.notEqual(row(ten), row(one));
  });

  it('tells what is wrong with a log', async () => {
    const [useless, several] = [join(folder, 'useless.log'), join(folder, 'several.log')];
    await writeFile(useless, '{"level":30,"msg":"listening"}\n');
    const lines = await readFile(log, 'utf8');
    await writeFile(several, lines + lines.replaceAll('"service":"web"', '"service":"shop"'));
    await assert.rejects(
      simulation({ ...PLAIN, fromLog: useless }),
      /no request that can be replayed: 1 lines are other messages of the log/,
    );
    await assert.rejects(simulation({ ...PLAIN, fromLog: several }), {
      constructor: UsageError,
      message: /requests of shop, web; choose one with --service/,
    });
    await assert.rejects(simulation({ ...PLAIN, fromLog: log, service: 'shop' }), {
      constructor: UsageError,
      message: /no request of the service "shop"; it has requests of web/,
    });
  });

  for (const [given, message] of [
    [{ algorithm: ['fastest'] }, /the algorithm "fastest" is unknown; there are round-robin/],
    [{ algorithm: ['sticky-round-robin'] }, /cookies are not recorded/],
    [{ balancers: '0' }, /--balancers: expected a whole number from 1 to 999, not "0"/],
    [{ seed: 'one' }, /--seed: expected a whole number/],
    [{ service: 'web' }, /--service goes with --from-log/],
  ] as const) {
    it(`refuses ${JSON.stringify(given)}`, async () => {
      await assert.rejects(simulation({ ...PLAIN, ...given }), { constructor: UsageError, message });
    });
  }
});
