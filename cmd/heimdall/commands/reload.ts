import { type Command, Option } from 'commander';
import { configOption, examples, jsonOption } from './options.ts';

export function register(program: Command): void {
  program
    .command('reload')
    .description('replace the running processes by new ones, without a failed connection')
    .addOption(configOption())
    .addOption(new Option('--only <process>', 'one of them').choices(['proxy', 'manager']))
    .addOption(jsonOption('what was replaced by what'))
    .addHelpText(
      'after',
      examples(
        ['heimdall reload', 'after an update: the new version takes over'],
        ['heimdall reload --only proxy', 'the load balancer alone'],
      ),
    )
    .action(async (options: { config?: string; only?: 'proxy' | 'manager'; json: boolean }) => {
      const { reload } = await import('../reload.ts');
      return reload({ config: options.config, only: options.only, json: options.json });
    });
}
