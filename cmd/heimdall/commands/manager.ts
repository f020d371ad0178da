import type { Command } from 'commander';
import { configOption, examples } from './options.ts';

export function register(program: Command): void {
  program
    .command('manager')
    .description('start the server manager alone')
    .addOption(configOption())
    .option('--keep', 'leave the instances running at the end; the next manager adopts them', false)
    .addHelpText('after', examples(['heimdall manager --config prod.json', 'it starts every configured instance']))
    .action(async (options: { config?: string; keep: boolean }) => {
      const { runServerManager } = await import('../../server-manager/run.ts');
      return runServerManager({ config: options.config, keep: options.keep });
    });
}
