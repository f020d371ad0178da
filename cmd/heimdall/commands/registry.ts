import type { Command } from 'commander';
import type { RegistryCopyArguments } from '../registry/copy.ts';
import { configOption, examples, jsonOption } from './options.ts';

export function register(program: Command): void {
  const registry = program.command('registry').description('the registry itself: copy');
  registry
    .command('copy')
    .description('copy the registry of one machine, a file, into the etcd that the configuration names')
    .option('--from <file>', 'the registry to copy (default: registry.path of the configuration)')
    .option('--dry-run', 'tell what would be copied, and what stands against it; changes nothing', false)
    .option('--force', 'delete what there is below the prefix in etcd', false)
    .option('--yes', 'do not ask before that', false)
    .addOption(configOption())
    .addOption(jsonOption('what was copied'))
    .addHelpText(
      'after',
      `${examples(
        ['heimdall registry copy --config next.json --dry-run', 'a look ahead, while heimdall runs'],
        ['mv next.json config.json && heimdall reload', 'copies while it hands over: nothing stops'],
        ['heimdall registry copy', 'when no manager runs; the next start adopts what runs on'],
      )}
Exit codes:
  0  copied, or nothing stands against it (--dry-run)
  1  refused or failed: a manager runs, something is under way, etcd is not empty or does not answer
  2  wrong usage
A copy that is broken off leaves nothing that a manager begins on; call it again.
`,
    )
    .action(async (options: RegistryCopyArguments) => {
      const { copyRegistry } = await import('../registry/copy.ts');
      return copyRegistry(options);
    });
}
