import type { Command } from 'commander';
import { configOption, examples, jsonOption } from './options.ts';

export function register(program: Command): void {
  program
    .command('why')
    .description('tell who gets the requests of a service now, and why the others get none')
    .argument('<service>')
    .addOption(configOption())
    .addOption(jsonOption('the figures'))
    .addHelpText('after', examples(['heimdall why web', 'each instance, and why it gets requests or none']))
    .action(async (service: string, options: { config?: string; json: boolean }) => {
      const { why } = await import('../why.ts');
      return why(service, { config: options.config, json: options.json });
    });
}
