import { type Command, Option } from 'commander';
import { ALGORITHMS } from '../../../internal/model/algorithms.ts';
import type { RolloutOptions } from '../operate/deploy.ts';
import type { SetOptions } from '../operate/services.ts';
import { examples, type ManagerOptions, nodeOption, withManager } from './options.ts';
import { withRollout } from './rollout-options.ts';

export function register(program: Command): void {
  const services = program
    .command('services')
    .description('the services: list, get, scale, set, pause, resume, restart, rollback');
  addViews(services);
  addScale(services);
  addSet(services);
  addPause(services);
  addRestart(services);
  addRollback(services);
}

function addViews(services: Command): void {
  withManager(services.command('list', { isDefault: true }))
    .description('all services, and how they fare')
    .addHelpText('after', examples(['heimdall services list', 'a row for each']))
    .action(async (options: ManagerOptions) => {
      const { listServices } = await import('../operate/services.ts');
      return listServices(options);
    });
  withManager(services.command('get'))
    .description('one service, its instances and its latest deployments')
    .argument('<service>')
    .addHelpText('after', examples(['heimdall services get web', 'what is in force, and what runs']))
    .action(async (service: string, options: ManagerOptions) => {
      const { getService } = await import('../operate/services.ts');
      return getService(service, options);
    });
}

function addScale(services: Command): void {
  withManager(services.command('scale'))
    .description('run so many instances, until the configuration changes it')
    .argument('<service>')
    .argument('<instances>', 'how many')
    .addOption(nodeOption('on this node (default: on all together)'))
    .option('--yes', 'do not ask before all are stopped', false)
    .addHelpText('after', examples(['heimdall services scale web 5', 'starts or drains as many as it takes']))
    .action(async (service: string, instances: string, options: ManagerOptions & { yes: boolean; node?: string }) => {
      const { scaleService } = await import('../operate/services.ts');
      return scaleService(service, instances, options);
    });
}

function addSet(services: Command): void {
  withManager(services.command('set'))
    .description('change settings while it runs; "default" gives one back to the configuration')
    .argument('<service>')
    .option('--instances <number>', 'how many to run')
    .addOption(new Option('--algorithm <name>', 'who gets the next request').choices([...ALGORITHMS, 'default']))
    .option('--max-connections <number>', 'requests that one instance may have in flight, or "default"')
    .option('--weight <number>', 'of all instances and new ones, or "default"')
    .option('--yes', 'do not ask before all are stopped', false)
    .addHelpText(
      'after',
      examples(
        ['heimdall services set web --algorithm least-time', 'until it is set again'],
        ['heimdall services set web --algorithm default', 'as it is configured'],
      ),
    )
    .action(async (service: string, options: SetOptions) => {
      const { setService } = await import('../operate/services.ts');
      return setService(service, options);
    });
}

function addPause(services: Command): void {
  withManager(services.command('pause'))
    .description('hold new requests; none is refused')
    .argument('<service>')
    .addHelpText('after', examples(['heimdall services pause web', 'before a database is moved, say']))
    .action(async (service: string, options: ManagerOptions) => {
      const { pauseService } = await import('../operate/services.ts');
      return pauseService(service, options);
    });
  withManager(services.command('resume'))
    .description('let held requests go on, in order')
    .argument('<service>')
    .addHelpText('after', examples(['heimdall services resume web', 'after a pause']))
    .action(async (service: string, options: ManagerOptions) => {
      const { resumeService } = await import('../operate/services.ts');
      return resumeService(service, options);
    });
}

function addRestart(services: Command): void {
  withRollout(services.command('restart'))
    .description('the same release in new processes, a few at a time')
    .argument('<service>')
    .addHelpText('after', examples(['heimdall services restart web', 'no request is lost']))
    .action(async (service: string, options: RolloutOptions) => {
      const { restartService } = await import('../operate/deploy.ts');
      return restartService(service, options);
    });
}

function addRollback(services: Command): void {
  withRollout(services.command('rollback'))
    .description('go back to the release before; during a deployment, give that up')
    .argument('<service>')
    .option('--to <deployment>', 'to the release of this one')
    .addHelpText(
      'after',
      examples(
        ['heimdall services rollback web', 'what ran before runs again'],
        ['heimdall services rollback web --to 3', 'the release of deployment 3'],
      ),
    )
    .action(async (service: string, options: RolloutOptions & { to?: string }) => {
      const { rollBack } = await import('../operate/deploy.ts');
      return rollBack(service, options);
    });
}
