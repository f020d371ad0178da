import { type Command, Option } from 'commander';
import type { LogsOptions } from '../operate/logs.ts';
import { examples, withManager } from './options.ts';

export function register(program: Command): void {
  withManager(program.command('logs'), 'lines as { instance, stream, text }; with --follow one on each line')
    .description('what instances have written to their standard output and standard error')
    .argument('[name]', "a service, or an instance's id or port (default: all services)")
    .option('-f, --follow', 'go on with what comes, from new instances too; Ctrl-C ends it', false)
    .option('-n, --lines <number>', 'how many of each stream and instance', '100')
    .addOption(new Option('--stream <stream>', 'one of them alone').choices(['out', 'err']))
    .addHelpText(
      'after',
      examples(
        ['heimdall logs 9001', 'the last lines of one instance'],
        ['heimdall logs web-9001-k3x9f2', 'by its id, also of one that is gone, as long as they are kept'],
        ['heimdall logs -f web', 'all instances of web, each line with the name of its writer; "!" is standard error'],
        ['heimdall logs web --lines 1000 --stream err', 'the standard error of all instances'],
      ),
    )
    .action(async (name: string | undefined, options: LogsOptions) => {
      const { logs } = await import('../operate/logs.ts');
      return logs(name, options);
    });
}
