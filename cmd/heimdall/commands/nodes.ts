import type { Command } from 'commander';
import { examples, type ManagerOptions, withManager } from './options.ts';

export function register(program: Command): void {
  withManager(program.command('nodes'))
    .description('the hosts with a manager, and which of them are away')
    .addHelpText('after', examples(['heimdall nodes', 'a row for each']))
    .action(async (options: ManagerOptions) => {
      const { listNodes } = await import('../operate/nodes.ts');
      return listNodes(options);
    });
}
