import type { Command } from 'commander';
import { configOption, examples, jsonOption } from './options.ts';

export function register(program: Command): void {
  program
    .command('explain')
    .description('tell why a request went where it went, by the X-Request-Id of its answer')
    .argument('<id>')
    .addOption(configOption())
    .addOption(jsonOption('what the load balancer has recorded'))
    .addHelpText(
      'after',
      examples(['heimdall explain 4bf92f3577b34da6', 'who could be picked, who was, and what followed']),
    )
    .action(async (id: string, options: { config?: string; json: boolean }) => {
      const { explain } = await import('../explain.ts');
      return explain(id, { config: options.config, json: options.json });
    });
}
