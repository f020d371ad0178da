import type { Command } from 'commander';
import type { DoctorArguments } from '../doctor/doctor.ts';
import { configOption, examples, jsonOption } from './options.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('look for what is wrong with this machine and the configuration, and say what to do; changes nothing')
    .addOption(configOption())
    .addOption(jsonOption('{ ok, findings }'))
    .addHelpText(
      'after',
      examples(
        ['heimdall doctor', 'exit code 1 when something is broken'],
        ['heimdall doctor --json', 'for scripts: level is well, hint, warning or broken'],
      ),
    )
    .action(async (options: DoctorArguments) => {
      const { doctor } = await import('../doctor/doctor.ts');
      return doctor(options);
    });
}
