import type { Command } from 'commander';
import type { DeployOptions } from '../operate/deploy.ts';
import { examples, repeated } from './options.ts';
import { withRollout } from './rollout-options.ts';

export function register(program: Command): void {
  withRollout(program.command('deploy'))
    .description('replace the instances of a service by new ones, a few at a time; exit code 1 when it went back')
    .argument('<service>')
    .option('--version <name>', 'what people call it, and the instances find as VERSION')
    .option(
      '--command <name>',
      "the entry of the service's `versions` to run (default: the one called like the version)",
    )
    .option('--env <NAME=value>', 'a variable for the instances; may be repeated', repeated)
    .addHelpText(
      'after',
      examples(
        ['heimdall deploy web --version 1.4.2', 'each step as it comes, and how it ended'],
        ['heimdall deploy web --env FLAG=on --queue', 'after the deployment that is under way'],
        ['heimdall deploy web --version 1.5 --no-wait', 'follow it with heimdall deployments get ID --follow'],
      ),
    )
    .action(async (service: string, options: DeployOptions) => {
      const { deploy } = await import('../operate/deploy.ts');
      return deploy(service, options);
    });
}
