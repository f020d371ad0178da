import type { Command } from 'commander';
import type { RestoreArguments } from '../restore.ts';
import { configOption, examples, jsonOption } from './options.ts';

export function register(program: Command): void {
  program
    .command('restore')
    .description('put a backup in the place of the registry, which is kept beside it; heimdall must not run')
    .argument('<file>', 'what "heimdall backup" has made')
    .addOption(configOption())
    .addOption(jsonOption('what was restored'))
    .addHelpText('after', examples(['heimdall restore registry-20261121-200605.db', 'then start heimdall again']))
    .action(async (file: string, options: RestoreArguments) => {
      const { restore } = await import('../restore.ts');
      return restore(file, options);
    });
}
