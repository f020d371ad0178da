import type { Command } from 'commander';
import type { AgentArguments } from '../agent.ts';
import { examples, repeated } from './options.ts';

export function register(program: Command): void {
  program
    .command('agent')
    .description('announce apps of this host to a manager on another one, as long as they are healthy')
    .option('--app <app>', 'SERVICE=PORT, or PORT with --service; may be repeated', repeated)
    .option('--service <name>', 'of each --app that names none, in order, or of all of them', repeated)
    .option(
      '--manager <url>',
      'where a manager is; the next one is asked when it does not answer (default: $HEIMDALL_MANAGER)',
      repeated,
    )
    .option('--etcd <url>', 'announce into etcd in place of a manager; may be repeated', repeated)
    .option('--host <address>', 'where load balancers reach the apps (default: as the manager sees this host)')
    .option('--weight <number>', 'their share of the requests')
    .option('--version <name>', 'what people call them')
    .option('--metadata <name=value>', 'what else there is to know; may be repeated', repeated)
    .option('--health-path <target>', 'what is asked of them (default: /health)')
    .option('--interval <time>', 'between two probes (default: 250ms)')
    .option('--node <name>', 'of this host (default: its host name)')
    .option('--token-file <path>', 'file with the token of the managers (default: $HEIMDALL_TOKEN)')
    .option('--config <path>', 'a JSON file with all of this in place of the options')
    .addHelpText(
      'after',
      examples(
        ['heimdall agent --app web=8080 --manager http://10.0.0.5:7000', 'web on port 8080 of this host joins in'],
        ['heimdall agent --app web=8080 --app api=8081 --weight 2', 'two apps, each with a double share'],
        ['heimdall agent --app web=8080 --etcd http://10.0.0.5:2379', 'no manager in between'],
        ['heimdall agent --config agent.json', 'as a service, see docs/examples/systemd'],
      ),
    )
    .action(async (options: AgentArguments) => {
      const { agent } = await import('../agent.ts');
      return agent(options);
    });
}
