import type { Command } from 'commander';
import { examples, type ManagerOptions, withManager } from './options.ts';

export function register(program: Command): void {
  const nodes = program.command('nodes').description('the hosts with a manager: list, forget');
  withManager(nodes.command('list', { isDefault: true }))
    .description('all of them, and which are away')
    .addHelpText('after', examples(['heimdall nodes', 'a row for each']))
    .action(async (options: ManagerOptions) => {
      const { listNodes } = await import('../operate/nodes.ts');
      return listNodes(options);
    });
  withManager(nodes.command('forget'))
    .description('a node that is away for good, with its instances and what was wanted there')
    .argument('<node>')
    .option('--yes', 'do not ask before', false)
    .addHelpText('after', examples(['heimdall nodes forget b', 'its alert ends; scale what is wanted elsewhere']))
    .action(async (node: string, options: ManagerOptions & { yes: boolean }) => {
      const { forgetNode } = await import('../operate/nodes.ts');
      return forgetNode(node, options);
    });
}
