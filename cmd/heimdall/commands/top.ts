import { type Command, Option } from 'commander';
import type { TopOptions } from '../top/top.ts';
import { SORT_NAMES, SORTS } from '../top/view.ts';
import { examples, withManager } from './options.ts';

const KEYS = `
Keys:
  ${SORT_NAMES.map((sort) => `${SORTS[sort]} ${sort}`).join('   ')}
  R reverse   / filter   Esc no filter   arrows, page up and down   q quit
`;

export function register(program: Command): void {
  withManager(program.command('top'), 'all that there is to see now')
    .description('services and instances live: status, health, traffic, CPU and memory')
    .option('--once', 'print it once; so it is where no terminal is', false)
    .addOption(new Option('--sort <by>', 'order of the instances').choices(SORT_NAMES).default('service'))
    .option('--filter <text>', 'only instances that have this in their names or states', '')
    .addHelpText(
      'after',
      KEYS +
        examples(
          ['heimdall top', 'until q'],
          ['heimdall top --sort cpu', 'who works hardest'],
          ['heimdall top --once | grep web', 'for scripts; so is --json'],
        ),
    )
    .action(async (options: TopOptions) => {
      const { top } = await import('../top/top.ts');
      return top(options);
    });
}
