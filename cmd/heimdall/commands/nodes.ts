import type { Command } from 'commander';
import { examples, type ManagerOptions, withManager } from './options.ts';

export function register(program: Command): void {
  const nodes = withManager(program.command('nodes'))
    .description('the hosts with a manager, and which of them are away')
    .addHelpText('after', examples(['heimdall nodes', 'a row for each']))
    .action(async (options: ManagerOptions) => {
      const { listNodes } = await import('../operate/nodes.ts');
      return listNodes(options);
    });
  withManager(nodes.command('forget'))
    .description('take away what is kept of a node that is gone for good')
    .argument('<node>', 'its name')
    .option('--yes', 'do not ask', false)
    .addHelpText('after', examples(['heimdall nodes forget b', 'after its manager was stopped, or its host has died']))
    .action(async (node: string, options: ManagerOptions & { yes: boolean }) => {
      const { forgetNode } = await import('../operate/nodes.ts');
      return forgetNode(node, options);
    });
}
