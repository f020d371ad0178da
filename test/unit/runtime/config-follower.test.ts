import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ConfigFollower, type ConfigFollowerOptions } from '../../../cmd/runtime/config-follower.ts';
import { loadConfig } from '../../../internal/config/load.ts';
import type { Config } from '../../../internal/config/schema.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { AlertLog, until } from '../../support/server-fixture.ts';

const log = createLogger({ name: 'test', level: 'silent', pretty: false });

/** A follower of a real file in a folder of its own; both end with the test. */
class Followed implements AsyncDisposable {
  readonly alerts = new AlertLog();
  readonly applied: Config[] = [];
  readonly refused: string[] = [];
  readonly follower: ConfigFollower;
  /** Thrown by the next change that is put into force. */
  fault: Error | null = null;
  readonly #folder: string;

  private constructor(folder: string, options: Pick<ConfigFollowerOptions, 'loaded' | 'reload' | 'speaks'>) {
    this.#folder = folder;
    this.follower = new ConfigFollower({
      ...options,
      alerts: this.alerts,
      log,
      apply: async (next, before) => {
        assert.equal(before, this.follower.applied);
        if (this.fault) throw this.fault;
        this.applied.push(next);
      },
      onRefused: (_path, reason) => this.refused.push(reason),
    });
  }

  static async start(speaks = true): Promise<Followed> {
    const folder = await mkdtemp(join(tmpdir(), 'heimdall-follower-'));
    const path = join(folder, 'config.json');
    await writeFile(path, JSON.stringify({ manager: { port: 7001 } }));
    const reload = () => loadConfig({ path, env: {}, cwd: folder });
    const followed = new Followed(folder, { loaded: await reload(), reload, speaks: async () => speaks });
    followed.follower.start();
    return followed;
  }

  async write(content: unknown): Promise<void> {
    const path = join(this.#folder, 'config.json');
    await writeFile(`${path}.new`, typeof content === 'string' ? content : JSON.stringify(content));
    await rename(`${path}.new`, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.follower.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

describe('a process that follows its configuration file', { concurrency: true }, () => {
  it('puts a valid change into force', async () => {
    await using followed = await Followed.start();
    await followed.write({ manager: { port: 7002 } });
    await until('the change in force', () => followed.follower.applied.manager.port === 7002);
    assert.equal(followed.applied.length, 1);
    assert.deepEqual([followed.alerts.raised, followed.refused], [[], []]);
  });

  it('refuses an invalid one with an alert, and resolves that when the file is mended', async () => {
    await using followed = await Followed.start();
    await followed.write({ manager: { port: 'x' } });
    const alert = await until('the alert', () => followed.alerts.raised[0]);
    assert.deepEqual([alert.key, alert.severity], ['config-refused', 'warning']);
    assert.match(alert.cause ?? '', /manager\.port: expected a whole number/);
    assert.match(followed.refused[0] ?? '', /manager\.port/);
    assert.deepEqual([followed.applied, followed.follower.applied.manager.port], [[], 7001]);

    await followed.write({ manager: { port: 7003 } });
    await until('the recovery', () => followed.alerts.resolved.includes('config-refused'));
    assert.equal(followed.follower.applied.manager.port, 7003);
  });

  it('resolves the alert too when the file says again what is in force', async () => {
    await using followed = await Followed.start();
    await followed.write('{');
    await until('the alert', () => followed.alerts.raised.length > 0);
    await followed.write({ manager: { port: 7001 } });
    await until('the recovery', () => followed.alerts.resolved.includes('config-refused'));
    assert.deepEqual(followed.applied, []);
  });

  it('keeps the old configuration when the new one cannot be put into force', async () => {
    await using followed = await Followed.start();
    followed.fault = new Error('port 7002 is in use');
    await followed.write({ manager: { port: 7002 } });
    await until('the alert', () => followed.alerts.raised.length > 0);
    assert.equal(followed.alerts.raised[0]?.cause, 'port 7002 is in use');
    assert.equal(followed.follower.applied.manager.port, 7001);
  });

  it('leaves the alert to another process that tells it, and does the rest', async () => {
    await using followed = await Followed.start(false);
    await followed.write('{');
    await until('the refusal', () => followed.refused.length > 0);
    await followed.write({ manager: { port: 7004 } });
    await until('the change in force', () => followed.follower.applied.manager.port === 7004);
    assert.deepEqual(followed.alerts.raised, []);
  });

  it('follows nothing when it runs the built-in sample', async () => {
    const loaded = await loadConfig({ env: {}, cwd: import.meta.dirname, sampleBackend: '/opt/sample.js' });
    assert.equal(loaded.path, null);
    const follower = new ConfigFollower({
      loaded,
      reload: () => assert.fail('read a file that does not exist'),
      alerts: new AlertLog(),
      log,
      apply: () => assert.fail('changed what never changes'),
      speaks: async () => true,
    });
    follower.start();
    await follower.stop();
    assert.equal(follower.applied, loaded.config);
  });
});
