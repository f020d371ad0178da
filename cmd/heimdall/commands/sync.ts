import { type Command, Option } from 'commander';
import type { SyncHaproxyArguments } from '../sync/sync-haproxy.ts';
import type { SyncNginxArguments } from '../sync/sync-nginx.ts';
import { configOption, examples, jsonOption, repeated } from './options.ts';

export function register(program: Command): void {
  const sync = program
    .command('sync')
    .description('keep an nginx or HAProxy that you already have true to the registry');
  registerNginx(sync);
  registerHaproxy(sync);
}

function registerNginx(sync: Command): void {
  withShared(sync.command('nginx'))
    .description('write the upstream blocks of nginx, and reload it when they change')
    .requiredOption('--out <file>', 'file to write, which the http block of nginx includes')
    .option('--service <name...>', 'only these services (default: all)')
    .option('--template <file>', 'another form of the file; see docs/nginx-haproxy.md')
    .option('--test <command>', 'says whether nginx takes the new file', 'nginx -t')
    .option('--reload <command>', 'has nginx take it over', 'nginx -s reload')
    .option('--last-resort <port>', 'of 127.0.0.1, where nginx then answers 503 for services that nobody serves')
    .option('--pid-file <file>', 'of nginx, where several run (default: the only one that runs here)')
    .addHelpText(
      'after',
      examples(
        ['heimdall sync nginx --out /etc/nginx/conf.d/upstreams.conf', 'until it is stopped'],
        ['heimdall sync nginx --out up.conf --service web --dry-run', 'show the file, write nothing'],
        ['heimdall sync nginx --out up.conf --reload "systemctl reload nginx"', ''],
      ),
    )
    .action(async (options: SyncNginxArguments) => {
      const { syncNginx } = await import('../sync/sync-nginx.ts');
      return syncNginx(options);
    });
}

function registerHaproxy(sync: Command): void {
  withShared(sync.command('haproxy'))
    .description('set the servers of HAProxy through its runtime API; it is never reloaded')
    .requiredOption('--socket <path>', 'stats socket of HAProxy with "level admin"; a path, or host:port')
    .addOption(
      new Option('--backend <name>', 'whose servers to set; for a service of another name service=name; repeatable')
        .makeOptionMandatory()
        .argParser(repeated),
    )
    .addHelpText(
      'after',
      examples(
        ['heimdall sync haproxy --socket /run/haproxy/admin.sock --backend web', 'service web, until it is stopped'],
        ['heimdall sync haproxy --socket /run/haproxy.sock --backend web=be_web --once', 'for cron'],
      ),
    )
    .action(async (options: SyncHaproxyArguments) => {
      const { syncHaproxy } = await import('../sync/sync-haproxy.ts');
      return syncHaproxy(options);
    });
}

function withShared(command: Command): Command {
  return command
    .option('--once', 'bring the present state into force, and end; drains do not wait for it', false)
    .option('--dry-run', 'show what would be done, and end', false)
    .addOption(jsonOption('log lines, or what was done, as JSON'))
    .addOption(configOption());
}
