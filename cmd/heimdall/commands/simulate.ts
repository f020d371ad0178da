import { type Command, Option } from 'commander';
import type { SimulateArguments } from '../simulate.ts';
import { examples, jsonOption } from './options.ts';

export function register(program: Command): void {
  program
    .command('simulate')
    .description('compare the algorithms, in scenarios or on the requests of a log, before you choose one')
    .addOption(new Option('--scenario <name>', 'only this one').conflicts('fromLog'))
    .option('--from-log <file>', "replay the load balancer's access log (JSON lines)")
    .option('--service <name>', 'whose requests, when the log has those of several')
    .option('--algorithm <name...>', 'only these')
    .option('--seed <number>', 'another one gives other draws', '1')
    .addOption(
      new Option('--balancers <number>', 'load balancers that share the backends and know nothing of each other')
        .default('1')
        .conflicts('fromLog'),
    )
    .addOption(jsonOption('numbers; shares are parts of 1, times milliseconds'))
    .addHelpText(
      'after',
      examples(
        ['heimdall simulate', 'every algorithm in every scenario'],
        ['heimdall simulate --from-log proxy.log', 'what another algorithm would have made of these requests'],
      ),
    )
    .action(async (options: SimulateArguments) => {
      const { simulate } = await import('../simulate.ts');
      return simulate(options);
    });
}
