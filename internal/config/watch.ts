import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { LoadedConfig } from './load.ts';
import { ConfigError, type ConfigProblem } from './problem.ts';
import type { Config } from './schema.ts';

const FILE_GONE: ConfigProblem = { path: '', message: 'the file does not exist', source: 'file' };

export interface ConfigWatch {
  /** The configuration in force when watching starts. */
  readonly applied: Config;
  readonly load: () => Promise<LoadedConfig>;
  /** A valid configuration that differs from the one in force. When it throws or rejects, `onRefused` is told and the old one stays in force. */
  readonly onChange: (config: Config) => void | Promise<void>;
  /** The file is unusable now; called once per content. Must not throw. */
  readonly onRefused: (error: unknown) => void;
  /** After a refusal the file says again what is in force: nothing to apply, but the trouble is over. Must not throw. */
  readonly onRestored?: () => void;
  readonly signal: AbortSignal;
  readonly pollMs?: number;
  /** The clock: resolves after so many milliseconds, or early when the signal aborts. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Watches a configuration file until the signal aborts, then resolves. Never rejects.
 * Polls by name, so files that editors replace by renaming stay watched. A content counts once two polls in a row have
 * seen it: a half-written file, or one that is away for a moment, goes unnoticed. A change is applied within two polls.
 * @param path - absolute, as `loadConfig` returned it.
 */
export async function watchConfig(path: string, watch: ConfigWatch): Promise<void> {
  const { signal, pollMs = 500, pause = pauseByTimer } = watch;
  const follower = new Follower(path, watch);
  let seen: string | undefined;
  let handled: string | undefined;
  while (!signal.aborted) {
    const before = seen;
    seen = await fingerprint(path);
    if (seen === before && seen !== handled && !signal.aborted) {
      handled = seen;
      await follower.reload();
    }
    await pause(pollMs, signal);
  }
}

/** Knows what is in force and whether the last content was refused. */
class Follower {
  readonly #path: string;
  readonly #watch: ConfigWatch;
  #applied: Config;
  #refused = false;

  constructor(path: string, watch: ConfigWatch) {
    this.#path = path;
    this.#watch = watch;
    this.#applied = watch.applied;
  }

  async reload(): Promise<void> {
    try {
      const { config, path } = await this.#watch.load();
      // Without the file, loading may fall back to the built-in sample, which must never replace what runs.
      if (path !== this.#path) throw new ConfigError([FILE_GONE], this.#path);
      if (this.#watch.signal.aborted) return;
      if (!isDeepStrictEqual(config, this.#applied)) {
        await this.#watch.onChange(config);
        this.#applied = config;
      } else if (this.#refused) {
        this.#watch.onRestored?.();
      }
      this.#refused = false;
    } catch (error) {
      this.#refused = true;
      this.#watch.onRefused(error);
    }
  }
}

async function pauseByTimer(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined); // rejects only because of the signal
}

/** Equal for equal contents; the error code when there is nothing to read. */
async function fingerprint(path: string): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}
