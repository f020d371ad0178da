import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AccessLog } from '../../../../internal/proxy/access-log/access-log.ts';
import { AccessLogAlerts } from '../../../../internal/proxy/access-log/access-log-alerts.ts';
import { createLogger } from '../../../../pkg/logger/logger.ts';

describe('the access log', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heimdall-access-'));
  });
  after(() => rm(dir, { recursive: true }));

  /** With what people are told of it. */
  function logging() {
    const told: string[] = [];
    const sink = {
      raise: ({ key, cause = '' }: { key: string; cause?: string | undefined }) => void told.push(`${key}: ${cause}`),
      resolve: (key: string) => void told.push(`${key} is over`),
    };
    let now = 0;
    const alerts = new AccessLogAlerts(sink, createLogger({ name: 'test', level: 'silent' }), () => 0);
    const log = new AccessLog(alerts, () => now);
    const take = (text: string, dropped = 0) =>
      new Promise<void>((resolve) => {
        const octets = text === '' ? null : sharedOctets(text);
        log.take({ octets, lines: text.split('\n').length - 1, dropped }, () => resolve());
        if (octets === null) resolve();
      });
    const pass = (milliseconds: number) => {
      now += milliseconds;
    };
    return { log, told, take, pass };
  }

  it('writes what came before a change of its place to the old one, and the rest to the new one', async () => {
    const { log, take, told } = logging();
    const [one, two] = [join(dir, 'one.log'), join(dir, 'two.log')];
    log.configure({ output: one, rotation: null });
    const first = take('a\nb\n');
    log.configure({ output: two, rotation: null });
    await Promise.all([first, take('c\n')]);
    await log.close();
    assert.deepEqual([await readFile(one, 'utf8'), await readFile(two, 'utf8')], ['a\nb\n', 'c\n']);
    assert.deepEqual(log.counts, { lines: 3, dropped: 0 });
    assert.deepEqual(told, []);
  });

  it('drops and counts what a full disk does not take, tells it once, and when it is over', async () => {
    const { log, take, told, pass } = logging();
    log.configure({ output: '/dev/full', rotation: null });
    await take('a\nb\n');
    await take('c\n');
    assert.deepEqual(log.counts, { lines: 0, dropped: 3 });
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^access-log: ENOSPC.*Requests are not affected\.$/);
    log.configure({ output: join(dir, 'later.log'), rotation: null });
    await take('d\n');
    pass(10_000);
    await take('e\n');
    await log.close();
    assert.deepEqual(told.slice(1), ['access-log is over']);
    assert.deepEqual(log.counts, { lines: 2, dropped: 3 });
  });

  it('is no trouble any more when nobody wants it; the end of the process mends nothing', async () => {
    const { log, take, told } = logging();
    log.configure({ output: '/dev/full', rotation: null });
    await take('a\n');
    log.configure(null);
    assert.deepEqual(told.slice(1), ['access-log is over']);
    await take('', 1);
    assert.deepEqual([told.length, log.counts.dropped], [2, 2]);
    log.configure({ output: '/dev/full', rotation: null });
    await take('b\n');
    await log.close();
    assert.equal(told.length, 3);
    assert.match(told[2] ?? '', /ENOSPC/);
  });

  it('counts what threads have dropped', async () => {
    const { log, take, told } = logging();
    log.configure({ output: join(dir, 'slow.log'), rotation: null });
    await take('', 7);
    assert.equal(log.counts.dropped, 7);
    assert.match(told[0] ?? '', /as fast as they come/);
    await log.close();
  });
});

function sharedOctets(text: string): Uint8Array<SharedArrayBuffer> {
  const octets = new Uint8Array(new SharedArrayBuffer(text.length));
  octets.set(Buffer.from(text));
  return octets;
}
