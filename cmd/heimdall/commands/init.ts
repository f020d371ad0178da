import type { Command } from 'commander';
import type { InitArguments } from '../init/init.ts';
import { examples, jsonOption } from './options.ts';

export function register(program: Command): void {
  program
    .command('init')
    .description(
      'write a configuration for the app in a folder; asks on a terminal, elsewhere flags and guesses are taken',
    )
    .argument('[folder]', 'of the app (default: the current one)')
    .option('--config <path>', 'file to write (default: config.json in that folder)')
    .option('--name <name>', 'of the service')
    .option('--command <line>', 'that starts one instance; {port} is its port, which is in the variable PORT, too')
    .option('--instances <number>', 'how many')
    .option('--port <port>', 'of the load balancer')
    .option('--health <path>', 'that answers 2xx when the app is well, or "tcp" for a check that only connects')
    .option('--webhook <url>', 'where alerts go')
    .option('--mail <address>', 'where alerts go')
    .option('--mail-server <host>', 'that takes the mail', 'localhost:25')
    .option('--yes', 'ask nothing', false)
    .option('--try', 'start the app once, and see whether it listens and answers (default on a terminal)')
    .option('--no-try', 'write the file without')
    .option('--force', 'replace a file that is there', false)
    .addOption(jsonOption('what was written, and what came of the trial'))
    .addHelpText(
      'after',
      examples(
        ['heimdall init', 'asks; Enter takes what is proposed'],
        ['heimdall init --yes --try', 'asks nothing, and tries the app'],
        ['heimdall init ../shop --command "node server.js" --instances 4 --health /healthz', 'of another folder'],
      ),
    )
    .action(async (folder: string | undefined, options: InitArguments) => {
      const { init } = await import('../init/init.ts');
      return init(folder, options);
    });
}
