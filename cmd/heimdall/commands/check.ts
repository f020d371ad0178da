import type { Command } from 'commander';
import { configOption, examples, jsonOption } from './options.ts';

export function register(program: Command): void {
  program
    .command('check')
    .description('validate the configuration; exit code 0 when it is valid, 1 when not')
    .addOption(configOption())
    .addOption(jsonOption('{ ok, problems }'))
    .addHelpText('after', examples(['heimdall check --config prod.json', 'nothing is started']))
    .action(async (options: { config?: string; json: boolean }) => {
      const { check } = await import('../check.ts');
      return check(options.config, options.json);
    });
}
