import type { Command } from 'commander';
import type { EventsOptions } from '../operate/events.ts';
import { examples, withManager } from './options.ts';

export function register(program: Command): void {
  withManager(program.command('events'), 'the events; with --follow one on each line')
    .description('what happened, the latest last')
    .option('-f, --follow', 'go on with what comes; Ctrl-C ends it', false)
    .option('--service <name>', 'of this one alone')
    .option('--type <beginning>', 'only those whose type begins so, such as audit or deployment')
    .option('--actor <name>', 'only what this person asked for')
    .option('--limit <number>', 'at most so many of the past', '50')
    .addHelpText(
      'after',
      examples(
        ['heimdall events', 'the last fifty'],
        ['heimdall events -f --service web', 'and what comes'],
        ['heimdall events --type audit --actor ann', 'what ann changed'],
      ),
    )
    .action(async (options: EventsOptions) => {
      const { events } = await import('../operate/events.ts');
      return events(options);
    });
}
