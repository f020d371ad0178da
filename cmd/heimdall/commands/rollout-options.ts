import type { Command } from 'commander';
import { nodeOption, withManager } from './options.ts';

/** What every command takes that makes a deployment. */
export function withRollout(command: Command): Command {
  return withManager(command, 'the deployment with its steps')
    .addOption(nodeOption('on this node alone (default: on all, one after another)'))
    .option('--queue', 'wait for a deployment that is under way, rather than be refused', false)
    .option('--no-wait', 'do not wait for its end');
}
