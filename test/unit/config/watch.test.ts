import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfig } from '../../../internal/config/load.ts';
import { ConfigError } from '../../../internal/config/problem.ts';
import { type ConfigWatch, watchConfig } from '../../../internal/config/watch.ts';

const withPort = (port: number) => JSON.stringify({ manager: { port } });

/** Lets the watcher look at the file exactly when the test says so. */
class Steps {
  #resume: (() => void) | undefined;
  #reached = Promise.withResolvers<void>();

  readonly pause = (_milliseconds: number, signal: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
    this.#reached.resolve();
    return promise;
  };

  /** Waits for the pause after the present look, then for the looks asked for. */
  async look(times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      await this.#reached.promise;
      this.#reached = Promise.withResolvers<void>();
      this.#resume?.();
    }
    await this.#reached.promise;
  }
}

/** A watched file in a folder of its own; `calls` tells in order what the watcher reported. */
async function watched(overrides: Partial<ConfigWatch> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'heimdall-watch-'));
  const file = join(folder, 'config.json');
  await writeFile(file, withPort(7001));
  const load = () => loadConfig({ path: file, env: {}, cwd: folder });
  const { config: applied } = await load();
  const calls: unknown[] = [];
  let loads = 0;
  const steps = new Steps();
  const stop = new AbortController();
  const ended = watchConfig(file, {
    applied,
    load: () => {
      loads += 1;
      return load();
    },
    onChange: ({ manager }) => void calls.push(manager.port),
    onRefused: (error) => void calls.push(error),
    onRestored: () => void calls.push('restored'),
    signal: stop.signal,
    pause: steps.pause,
    ...overrides,
  });
  return {
    file,
    write: (content: string) => writeFile(file, content),
    look: (times: number) => steps.look(times),
    calls,
    loads: () => loads,
    stop,
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

describe('watchConfig', { timeout: 20_000 }, () => {
  it('applies a changed file within two looks, once', async () => {
    await using watch = await watched();
    await watch.look(2);
    await watch.write(withPort(7002));
    await watch.look(2);
    assert.deepEqual(watch.calls, [7002]);
    await watch.look(5);
    assert.deepEqual(watch.calls, [7002]);
  });

  it('looks by itself, again and again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heimdall-watch-'));
    const file = join(folder, 'config.json');
    await writeFile(file, withPort(7001));
    const load = () => loadConfig({ path: file, env: {}, cwd: folder });
    const stop = new AbortController();
    const { config: applied } = await load();
    await replace(file, withPort(7002));
    const ports: number[] = [];
    await watchConfig(file, {
      applied,
      load,
      onChange: async ({ manager }) => {
        ports.push(manager.port);
        await replace(file, withPort(7003));
        if (manager.port === 7003) stop.abort();
      },
      onRefused: (error) => assert.fail(String(error)),
      signal: stop.signal,
      pollMs: 1,
    });
    assert.deepEqual(ports, [7002, 7003]);
    await rm(folder, { recursive: true });
  });

  it('applies a file that an editor replaced by renaming', async () => {
    await using watch = await watched();
    await watch.look(2);
    await replace(watch.file, withPort(7003));
    await watch.look(2);
    assert.deepEqual(watch.calls, [7003]);
  });

  it('notices a change that happened between loading and watching', async () => {
    await using watch = await watched();
    await watch.write(withPort(7004));
    await watch.look(3);
    assert.deepEqual(watch.calls, [7004]);
  });

  it('ignores a half-written file and one that is away for a moment', async () => {
    await using watch = await watched();
    await watch.look(2);
    await watch.write('{"manager": {"po');
    await watch.look(1);
    await rm(watch.file);
    await watch.look(1);
    await watch.write(withPort(7005));
    await watch.look(2);
    assert.deepEqual(watch.calls, [7005]);
  });

  it('keeps silent when the text changes but not its meaning', async () => {
    await using watch = await watched();
    await watch.look(2);
    const before = watch.loads();
    await watch.write('{ "manager": { "port": 7001 }, "services": [] }');
    await watch.look(2);
    assert.equal(watch.loads(), before + 1);
    assert.deepEqual(watch.calls, []);
  });

  it('does not load a file again that was only touched', async () => {
    await using watch = await watched();
    await watch.look(2);
    const before = watch.loads();
    await utimes(watch.file, new Date(0), new Date(0));
    await watch.look(3);
    assert.equal(watch.loads(), before);
  });

  it('refuses a broken file once, keeps what was in force, and applies the mended file', async () => {
    await using watch = await watched();
    await watch.look(2);
    await watch.write('{"manager": {"port": "x"}}');
    await watch.look(5);
    const [refused] = watch.calls;
    assert.equal(watch.calls.length, 1);
    assert.ok(refused instanceof ConfigError);
    assert.equal(refused.problems[0]?.path, 'manager.port');
    await watch.write(withPort(7006));
    await watch.look(2);
    assert.deepEqual(watch.calls, [refused, 7006]);
  });

  it('refuses a missing file once, and tells when what is in force is back', async () => {
    await using watch = await watched();
    await watch.look(2);
    await rm(watch.file);
    await watch.look(5);
    const [refused] = watch.calls;
    assert.equal(watch.calls.length, 1);
    assert.ok(refused instanceof ConfigError);
    assert.match(refused.message, /does not exist/);
    await watch.write(withPort(7001));
    await watch.look(5);
    assert.deepEqual(watch.calls, [refused, 'restored']);
  });

  it('does not replace what runs by the built-in sample when ./config.json is gone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heimdall-watch-'));
    const load = () => loadConfig({ env: {}, cwd: folder, sampleBackend: '/opt/sample.js' });
    await using watch = await watched({ load });
    await watch.look(3);
    const [refused] = watch.calls;
    assert.equal(watch.calls.length, 1);
    assert.ok(refused instanceof ConfigError);
    assert.match(refused.message, /does not exist/);
    await rm(folder, { recursive: true });
  });

  it('reports a configuration that could not be applied, and goes on watching', async () => {
    const calls: unknown[] = [];
    await using watch = await watched({
      onChange: async ({ manager }) => {
        if (manager.port === 7007) throw new Error('the port is taken');
        calls.push(manager.port);
      },
      onRefused: (error) => void calls.push(error instanceof Error ? error.message : error),
    });
    await watch.write(withPort(7007));
    await watch.look(3);
    await watch.write(withPort(7008));
    await watch.look(3);
    assert.deepEqual(calls, ['the port is taken', 7008]);
  });

  it('ends with its signal and applies nothing afterwards', async () => {
    await using watch = await watched();
    await watch.look(2);
    await watch.write(withPort(7009));
    await watch.look(1);
    watch.stop.abort();
    await watch.ended;
    assert.deepEqual(watch.calls, []);
  });
});

async function replace(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}
