import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';

/**
 * What the configuration says of the manager; loads what reads it only now.
 * @throws {CommandError} when it cannot be used.
 */
export async function configuredManager(path: string | undefined) {
  const { loadConfig } = await import('../../../internal/config/load.ts');
  const { ConfigError } = await import('../../../internal/config/problem.ts');
  const { loadOptions } = await import('../../runtime/arguments.ts');
  try {
    return (await loadConfig(loadOptions(path))).config.manager;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const advice = 'The manager can be named without it, such as --manager http://127.0.0.1:7000.';
    throw new CommandError(EXIT.failed, `${error.message}\n${advice}`, { problems: error.problems });
  }
}
