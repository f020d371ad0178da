import { type Command, Option } from 'commander';
import type { AddOptions } from '../operate/servers.ts';
import { examples, type ManagerOptions, nodeOption, repeated, withManager } from './options.ts';

const STATUSES = ['starting', 'running', 'draining', 'error', 'stopped'] as const;
const INSTANCE = 'its id or port';

export function register(program: Command): void {
  const servers = program.command('servers').description('the instances: list, get, add, remove, restart, weight');
  addList(servers);
  addGet(servers);
  addAdd(servers);
  addRemove(servers);
  addRestart(servers);
  addWeight(servers);
}

function addList(servers: Command): void {
  withManager(servers.command('list', { isDefault: true }))
    .description('all instances, those that somebody else runs too')
    .option('--service <name>', 'of this one alone')
    .addOption(new Option('--status <status>', 'in this one alone').choices(STATUSES))
    .addHelpText(
      'after',
      examples(
        ['heimdall servers list', 'all of them'],
        ['heimdall servers list --service web --status error', 'those of web that wait for their next start'],
        ["heimdall servers list --json | jq -r '.[].url'", 'for scripts'],
      ),
    )
    .action(async (options: ManagerOptions & { service?: string; status?: (typeof STATUSES)[number] }) => {
      const { listServers } = await import('../operate/servers.ts');
      return listServers(options);
    });
}

function addGet(servers: Command): void {
  withManager(servers.command('get'))
    .description('one instance')
    .argument('<instance>', INSTANCE)
    .addHelpText('after', examples(['heimdall servers get 9001', 'how it fares, and why it failed last']))
    .action(async (instance: string, options: ManagerOptions) => {
      const { getServer } = await import('../operate/servers.ts');
      return getServer(instance, options);
    });
}

function addAdd(servers: Command): void {
  withManager(servers.command('add'))
    .description('start instances, and wait until they are ready')
    .argument('[service]', 'default: the first that has a command')
    .option('--count <number>', 'how many (default: 1)')
    .option('--weight <number>', 'their share of the requests')
    .option('--port <port>', 'of the one instance (default: the next free one)')
    .addOption(nodeOption('where (default: where there is most room)'))
    .option('--version <name>', 'what they find as VERSION')
    .option('--env <NAME=value>', 'a variable for them; may be repeated', repeated)
    .option('--no-wait', 'do not wait until they are ready')
    .addHelpText(
      'after',
      examples(
        ['heimdall servers add', 'one more of the first service'],
        ['heimdall servers add web --count 2 --weight 2', 'two more of web, each with a double share'],
      ),
    )
    .action(async (service: string | undefined, options: AddOptions) => {
      const { addServers } = await import('../operate/servers.ts');
      return addServers(service, options);
    });
}

function addRemove(servers: Command): void {
  withManager(servers.command('remove'))
    .description('drain and stop instances: no request is lost')
    .argument('<instances...>', 'ids or ports')
    .option('--force', 'stop them at once, and cut off their requests', false)
    .option('--yes', 'do not ask', false)
    .addHelpText(
      'after',
      examples(
        ['heimdall servers remove 9001', 'its requests finish, then it is stopped'],
        ['heimdall servers remove 9001 9002 --force --yes', 'at once'],
      ),
    )
    .action(async (instances: string[], options: ManagerOptions & { force: boolean; yes: boolean }) => {
      const { removeServers } = await import('../operate/servers.ts');
      return removeServers(instances, options);
    });
}

function addRestart(servers: Command): void {
  withManager(servers.command('restart'))
    .description('put another instance in the place of each: no request is lost')
    .argument('<instances...>', 'ids or ports')
    .option('--no-wait', 'do not wait until the old one is gone')
    .addHelpText('after', examples(['heimdall servers restart 9001', 'the new one is ready before the old one drains']))
    .action(async (instances: string[], options: ManagerOptions & { wait: boolean }) => {
      const { restartServers } = await import('../operate/servers.ts');
      return restartServers(instances, options);
    });
}

function addWeight(servers: Command): void {
  withManager(servers.command('weight'))
    .description("change an instance's share of the requests")
    .argument('<instance>', INSTANCE)
    .argument('<weight>', 'from 1 to 1000, or "default": that of its service')
    .addHelpText('after', examples(['heimdall servers weight 9001 3', 'three times the share of one with 1']))
    .action(async (instance: string, weight: string, options: ManagerOptions) => {
      const { weighServer } = await import('../operate/servers.ts');
      return weighServer(instance, weight, options);
    });
}
