import type { LoadedConfig } from '../../internal/config/load.ts';
import { watchConfig } from '../../internal/config/watch.ts';
import type { Config } from '../../internal/config/schema.ts';
import { messageOf } from '../../internal/model/errors.ts';
import type { AlertDispatcher } from '../../pkg/alerts/dispatcher.ts';
import type { Logger } from '../../pkg/logger/logger.ts';

const REFUSED_KEY = 'config-refused';

export interface ConfigFollowerOptions {
  readonly loaded: LoadedConfig;
  readonly reload: () => Promise<LoadedConfig>;
  readonly alerts: Pick<AlertDispatcher, 'raise' | 'resolve'>;
  readonly log: Logger;
  /** Puts a changed configuration into force; when it throws, the old one is still in force. */
  readonly apply: (next: Config, before: Config) => Promise<void>;
  /** Whether this process is the one that tells people about a refused file: one event gives one alert. */
  readonly speaks: (error: unknown) => Promise<boolean>;
  readonly onRefused?: (path: string, reason: string) => void;
}

/** Keeps a running process true to its configuration file: a valid change is applied live, another one is refused and told. */
export class ConfigFollower {
  readonly #options: ConfigFollowerOptions;
  readonly #abort = new AbortController();
  #applied: Config;
  #watching: Promise<void> = Promise.resolve();

  constructor(options: ConfigFollowerOptions) {
    this.#options = options;
    this.#applied = options.loaded.config;
  }

  /** The configuration in force. */
  get applied(): Config {
    return this.#applied;
  }

  /** The built-in sample has no file, and so never changes. */
  start(): void {
    const { loaded, reload } = this.#options;
    const { path } = loaded;
    if (path === null) return;
    this.#watching = watchConfig(path, {
      applied: this.#applied,
      load: reload,
      onChange: (next) => this.#change(path, next),
      onRefused: (error) => this.#refuse(path, error),
      onRestored: () => {
        this.#options.log.info({ path }, 'the file says again what is in force');
        this.#restored();
      },
      signal: this.#abort.signal,
    });
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#watching;
  }

  async #change(path: string, next: Config): Promise<void> {
    await this.#options.apply(next, this.#applied);
    this.#applied = next;
    this.#options.log.info({ path }, 'the changed configuration is in force');
    this.#restored();
  }

  #refuse(path: string, error: unknown): void {
    const reason = messageOf(error);
    this.#options.log.error(
      { path, reason },
      `the changed configuration is refused, the old one stays in force: ${reason}`,
    );
    this.#options.onRefused?.(path, reason);
    void this.#options.speaks(error).then((speaks) => {
      if (!speaks) return;
      const title = 'A changed configuration was refused';
      this.#options.alerts.raise({ key: REFUSED_KEY, severity: 'warning', title, cause: reason, at: Date.now() });
    });
  }

  #restored(): void {
    this.#options.alerts.resolve(REFUSED_KEY, Date.now());
  }
}
