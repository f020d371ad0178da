import type { Command } from 'commander';
import { examples, type ManagerOptions, nodeOption, withManager } from './options.ts';

export function register(program: Command): void {
  const deployments = program.command('deployments').description('what was and is being deployed: list, get');
  withManager(deployments.command('list', { isDefault: true }))
    .description('the latest first')
    .option('--service <name>', 'of this one alone')
    .addOption(nodeOption('as far as they are about this node (default: all)'))
    .option('--limit <number>', 'at most so many', '20')
    .addHelpText('after', examples(['heimdall deployments list --service web', 'how they ended, and why']))
    .action(async (options: ManagerOptions & { service?: string; limit: string; node?: string }) => {
      const { listDeployments } = await import('../operate/deploy.ts');
      return listDeployments(options);
    });
  withManager(deployments.command('get'))
    .description('one with its steps')
    .argument('<id>')
    .addOption(nodeOption('as far as it is about this node (default: all)'))
    .option('-f, --follow', 'until it is over; exit code 1 when it went back', false)
    .addHelpText('after', examples(['heimdall deployments get 7 --follow', 'as heimdall deploy tells it']))
    .action(async (id: string, options: ManagerOptions & { follow: boolean; node?: string }) => {
      const { getDeployment } = await import('../operate/deploy.ts');
      return getDeployment(id, options);
    });
}
