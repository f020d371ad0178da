import { Argument, type Command } from 'commander';
import { SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts';
import { examples } from './options.ts';

export function register(program: Command): void {
  program
    .command('completion')
    .description('print what a shell has to run so that Tab completes commands, options, services and instances')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        ['heimdall completion fish | source', 'put this line into ~/.config/fish/config.fish'],
        ['source <(heimdall completion bash)', 'into ~/.bashrc'],
        ['source <(heimdall completion zsh)', 'into ~/.zshrc'],
      ),
    )
    .action((shell: Shell) => {
      process.stdout.write(SCRIPTS[shell]);
    });
  program
    .command('complete', { hidden: true })
    .description('tell what can stand at the end of a line: for the scripts of completion')
    .argument('[words...]')
    .addHelpText('after', examples(['heimdall complete -- servers li', 'a line for each, with a description']))
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const { complete } = await import('../completion/complete.ts');
      return complete(program, words);
    });
}
