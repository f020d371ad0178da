import { type Command, Option } from 'commander';

/** The options that several commands share: each means the same everywhere. */
export const configOption = () =>
  new Option('--config <path>', 'configuration file (default: $HEIMDALL_CONFIG or ./config.json)');

/** @param what - such as `the figures`; null: what the manager answers. */
export const jsonOption = (what: string | null = null) =>
  new Option('--json', what === null ? 'print the answer as JSON' : `print ${what}`).default(false);

export const nodeOption = (what: string) => new Option('--node <node>', `${what}; see heimdall nodes`);

/** What every command takes that talks to the manager, see `operate/manager-address.ts`. */
export interface ManagerOptions {
  readonly json: boolean;
  readonly config?: string;
  readonly manager?: string;
  readonly tokenFile?: string;
}

/** @param json - what `--json` prints. */
export function withManager(command: Command, json: string | null = null): Command {
  return command
    .addOption(jsonOption(json))
    .addOption(
      new Option(
        '--manager <url>',
        'where the manager is (default: $HEIMDALL_MANAGER, or the address in the configuration)',
      ),
    )
    .addOption(
      new Option(
        '--token-file <path>',
        'file with its token (default: $HEIMDALL_TOKEN, or the token in the configuration)',
      ),
    )
    .addOption(configOption());
}

/** Collects what may be given several times. */
export function repeated(value: string, others: readonly string[] = []): readonly string[] {
  return [...others, value];
}

/** Examples below the help of a command: what is typed, and what it does. */
export function examples(...rows: readonly (readonly [line: string, meaning: string])[]): string {
  const width = Math.max(...rows.map(([line]) => line.length));
  return `\nExamples:\n${rows.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}\n`).join('')}`;
}
