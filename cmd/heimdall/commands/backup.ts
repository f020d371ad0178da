import type { Command } from 'commander';
import type { BackupArguments } from '../backup.ts';
import { configOption, examples, jsonOption } from './options.ts';

export function register(program: Command): void {
  program
    .command('backup')
    .description('copy the registry into one file and check it, while everything goes on')
    .argument('[file]', 'default: registry-DATE-TIME.db in the current folder')
    .addOption(configOption())
    .option('--force', 'replace a file that is there', false)
    .addOption(jsonOption('what was copied'))
    .addHelpText(
      'after',
      examples(
        ['heimdall backup', 'such as registry-20261121-200605.db, for its owner alone'],
        ['heimdall backup /backups/heimdall.db --force', 'each night the same file'],
      ),
    )
    .action(async (file: string | undefined, options: BackupArguments) => {
      const { backup } = await import('../backup.ts');
      return backup(file, options);
    });
}
