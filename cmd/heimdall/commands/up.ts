import type { Command } from 'commander';
import { configOption, examples } from './options.ts';

export function register(program: Command): void {
  program
    .command('up')
    .description('start manager and load balancer, and keep both running')
    .addOption(configOption())
    .option('--keep', 'leave the instances running at the end; the next start adopts them', false)
    .addHelpText(
      'after',
      examples(
        ['heimdall up', 'with ./config.json; without one, three sample instances'],
        ['heimdall up --config prod.json', 'with another configuration'],
      ),
    )
    .action(async (options: { config?: string; keep: boolean }) => {
      const { up } = await import('../up.ts');
      return up({ config: options.config, keep: options.keep });
    });
}
