import type { Command } from 'commander';
import { configOption, examples } from './options.ts';

export function register(program: Command): void {
  program
    .command('proxy')
    .description('start the load balancer alone')
    .addOption(configOption())
    .addHelpText('after', examples(['heimdall proxy --config lb.json', 'for servers that somebody else runs']))
    .action(async (options: { config?: string }) => {
      const { runLoadBalancer } = await import('../../load-balancer/run.ts');
      return runLoadBalancer(options.config);
    });
}
