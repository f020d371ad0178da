import { type Command, Option } from 'commander';
import type { ChannelOptions, SilenceOptions } from '../operate/alerts.ts';
import { examples, type ManagerOptions, repeated, withManager } from './options.ts';

const SEVERITIES = ['info', 'warning', 'critical'];
const FORMATS = ['json', 'slack', 'discord', 'teams', 'pagerduty', 'alertmanager'];

export function register(program: Command): void {
  const alerts = program
    .command('alerts')
    .description('the alerts: list, ack, silence, silences, unsilence, channels, rules, test');
  addList(alerts);
  addAck(alerts);
  addSilences(alerts);
  addChannels(alerts.command('channels').description('webhooks beside those of the configuration: list, add, remove'));
  addRules(alerts);
}

function addList(alerts: Command): void {
  withManager(alerts.command('list', { isDefault: true }))
    .description('the active ones, newest first')
    .option('--all', 'those that are over, too', false)
    .option('--service <name>', 'of this one alone')
    .option('--limit <number>', 'at most so many', '50')
    .addHelpText('after', examples(['heimdall alerts list --all', 'the history']))
    .action(async (options: ManagerOptions & { all: boolean; service?: string; limit: string }) => {
      const { listAlerts } = await import('../operate/alerts.ts');
      return listAlerts(options);
    });
}

function addAck(alerts: Command): void {
  withManager(alerts.command('ack'))
    .description('say that you know: it is not repeated, and only its end is told')
    .argument('<alert>', 'its id or key')
    .option('--comment <text>', 'for the others', '')
    .addHelpText('after', examples(['heimdall alerts ack 4f1c --comment "disk is being swapped"', 'in your name']))
    .action(async (alert: string, options: ManagerOptions & { comment: string }) => {
      const { acknowledge } = await import('../operate/alerts.ts');
      return acknowledge(alert, options);
    });
}

function addSilences(alerts: Command): void {
  withManager(alerts.command('silence'))
    .description('for a time, tell nobody of certain alerts')
    .option('--key <key>', 'which: by key, "*" stands for any characters')
    .option('--service <name>', 'which: of a service')
    .option('--instance <id>', 'which: of an instance')
    .option('--node <name>', 'which: of a node')
    .addOption(new Option('--severity <severity>', 'which: of a severity').choices(SEVERITIES))
    .option('--for <time>', 'such as 30m or 2h')
    .option('--until <time>', 'such as 2026-12-24T18:00:00Z')
    .option('--comment <text>', 'for the others', '')
    .addHelpText('after', examples(['heimdall alerts silence --service web --for 2h', 'all alerts about web']))
    .action(async (options: SilenceOptions) => {
      const { silence } = await import('../operate/alerts.ts');
      return silence(options);
    });
  withManager(alerts.command('silences'))
    .description('those in force')
    .addHelpText('after', examples(['heimdall alerts silences', 'who made them, and how long they last']))
    .action(async (options: ManagerOptions) => {
      const { listSilences } = await import('../operate/alerts.ts');
      return listSilences(options);
    });
  withManager(alerts.command('unsilence'))
    .description('end a silence')
    .argument('<id>')
    .addHelpText('after', examples(['heimdall alerts unsilence 3', 'alerts are told again']))
    .action(async (id: string, options: ManagerOptions) => {
      const { endSilence } = await import('../operate/alerts.ts');
      return endSilence(id, options);
    });
}

function addChannels(channels: Command): void {
  withManager(channels.command('list', { isDefault: true }))
    .description('those that were added')
    .addHelpText('after', examples(['heimdall alerts channels list', 'whom they lead to']))
    .action(async (options: ManagerOptions) => {
      const { listChannels } = await import('../operate/alerts.ts');
      return listChannels(options);
    });
  withManager(channels.command('add'))
    .description('add a webhook, or replace the one of that name')
    .argument('<name>')
    .argument('<url>')
    .addOption(new Option('--format <format>', 'how it is told (default: json)').choices(FORMATS))
    .addOption(new Option('--severity <severity>', 'told of this and worse (default: info)').choices(SEVERITIES))
    .option('--service <name>', 'told of this one alone; may be repeated', repeated)
    .addHelpText(
      'after',
      examples(['heimdall alerts channels add ops https://hooks.example.com/x', 'try it: alerts test']),
    )
    .action(async (name: string, url: string, options: ChannelOptions) => {
      const { addChannel } = await import('../operate/alerts.ts');
      return addChannel(name, url, options);
    });
  withManager(channels.command('remove'))
    .description('remove one')
    .argument('<name>')
    .addHelpText('after', examples(['heimdall alerts channels remove ops', 'it is told of nothing any more']))
    .action(async (name: string, options: ManagerOptions) => {
      const { removeChannel } = await import('../operate/alerts.ts');
      return removeChannel(name, options);
    });
}

function addRules(alerts: Command): void {
  withManager(alerts.command('rules'))
    .description('how the rules stand that the manager watches')
    .addHelpText('after', examples(['heimdall alerts rules', 'restarts, certificates, disks']))
    .action(async (options: ManagerOptions) => {
      const { listRules } = await import('../operate/alerts.ts');
      return listRules(options);
    });
  withManager(alerts.command('test'))
    .description('a trial alert to every channel; exit code 1 when one did not take it')
    .addHelpText('after', examples(['heimdall alerts test', 'how each fared']))
    .action(async (options: ManagerOptions) => {
      const { testChannels } = await import('../operate/alerts.ts');
      return testChannels(options);
    });
}
