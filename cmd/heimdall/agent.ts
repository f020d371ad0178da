import { readFile } from 'node:fs/promises';
import { LOG_LEVELS } from '../../pkg/logger/logger.ts';
import { runAgent } from '../agent/run.ts';
import { type AgentArguments, settingsFrom, settingsInFile } from './agent-settings.ts';
import { UsageError } from './command-error.ts';
import { tokenFrom } from './operate/manager-address.ts';

export type { AgentArguments } from './agent-settings.ts';

/** `heimdall agent`: until a signal. @throws {CommandError} when the command line, or the file, is not right. */
export async function agent({ tokenFile, config, ...options }: AgentArguments): Promise<void> {
  const { env } = process;
  if (config !== undefined && Object.keys(options).length > 0) {
    throw new UsageError('--config goes alone, or with --token-file: what the options say can stand in the file');
  }
  const settings =
    config === undefined ? settingsFrom(options, env) : settingsInFile(await textOf(config), config, env);
  const level = LOG_LEVELS.find((each) => each === env['LOG_LEVEL']) ?? 'info';
  const readToken = async () => (await tokenFrom(tokenFile, env)) || undefined;
  await runAgent({ settings, token: await readToken(), readToken, level });
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--config: ${error instanceof Error ? error.message : String(error)}`);
  });
}
