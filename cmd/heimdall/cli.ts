import { Command, Option } from 'commander';
import { packageVersion } from '../runtime/package-info.ts';
import type { SimulateArguments } from './simulate.ts';
import type { StressArguments } from './stress-plan.ts';

const EXAMPLES = `
Examples:
  heimdall up                        manager, load balancer and every configured instance; Ctrl-C drains and stops all
  heimdall reload                    the installed version, in place of the running one; nobody notices
  heimdall check --config prod.json  validate a configuration without starting anything
  heimdall proxy --config lb.json    only the load balancer, for servers that somebody else runs
  heimdall explain ID                why the request with that X-Request-Id went where it went
  heimdall simulate --from-log FILE  what another algorithm would have made of the requests in a log
  heimdall stress localhost:8080 --rate 500 --by X-Server
                                     load at a constant rate, and who answered how fast
`;

/** Runs what the command line asks for, and loads no more than that. Exit codes: 0 done, 1 failed, 2 wrong usage. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  const program = new Command('heimdall')
    .description('Runs several instances of an HTTP app and balances over them without losing a request.')
    .version(packageVersion)
    .addHelpText('after', EXAMPLES)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  const config = () => new Option('--config <path>', 'configuration file (default: $HEIMDALL_CONFIG or ./config.json)');
  program
    .command('up')
    .description('start manager and load balancer, and keep both running')
    .addOption(config())
    .option('--keep', 'leave the instances running at the end; the next start adopts them', false)
    .action(async (options: { config?: string; keep: boolean }) => {
      const { up } = await import('./up.ts');
      return up({ config: options.config, keep: options.keep });
    });
  program
    .command('reload')
    .description('replace the running processes by new ones, without a failed connection')
    .addOption(config())
    .addOption(new Option('--only <process>', 'one of them').choices(['proxy', 'manager']))
    .option('--json', 'print what was replaced by what', false)
    .action(async (options: { config?: string; only?: 'proxy' | 'manager'; json: boolean }) => {
      const { reload } = await import('./reload.ts');
      return reload({ config: options.config, only: options.only, json: options.json });
    });
  program
    .command('manager')
    .description('start the server manager alone')
    .addOption(config())
    .option('--keep', 'leave the instances running at the end; the next manager adopts them', false)
    .action(async (options: { config?: string; keep: boolean }) => {
      const { runServerManager } = await import('../server-manager/run.ts');
      return runServerManager({ config: options.config, keep: options.keep });
    });
  program
    .command('proxy')
    .description('start the load balancer alone')
    .addOption(config())
    .action(async (options: { config?: string }) => {
      const { runLoadBalancer } = await import('../load-balancer/run.ts');
      return runLoadBalancer(options.config);
    });
  program
    .command('check')
    .description('validate the configuration; exit code 0 when it is valid, 1 when not')
    .addOption(config())
    .option('--json', 'print { ok, problems }', false)
    .action(async (options: { config?: string; json: boolean }) => {
      const { check } = await import('./check.ts');
      return check(options.config, options.json);
    });
  program
    .command('explain')
    .description('tell why a request went where it went, by the X-Request-Id of its answer')
    .argument('<id>')
    .addOption(config())
    .option('--json', 'print what the load balancer has recorded', false)
    .action(async (id: string, options: { config?: string; json: boolean }) => {
      const { explain } = await import('./explain.ts');
      return explain(id, { config: options.config, json: options.json });
    });
  program
    .command('why')
    .description('tell who gets the requests of a service now, and why the others get none')
    .argument('<service>')
    .addOption(config())
    .option('--json', 'print the figures', false)
    .action(async (service: string, options: { config?: string; json: boolean }) => {
      const { why } = await import('./why.ts');
      return why(service, { config: options.config, json: options.json });
    });
  program
    .command('simulate')
    .description('compare the algorithms, in scenarios or on the requests of a log, before you choose one')
    .addOption(new Option('--scenario <name>', 'only this one').conflicts('fromLog'))
    .option('--from-log <file>', "replay the load balancer's request log (JSON lines)")
    .option('--service <name>', 'whose requests, when the log has those of several')
    .option('--algorithm <name...>', 'only these')
    .option('--seed <number>', 'another one gives other draws', '1')
    .option('--json', 'print numbers; shares are parts of 1, times milliseconds', false)
    .action(async (options: SimulateArguments) => {
      const { simulate } = await import('./simulate.ts');
      return simulate(options);
    });
  addStress(program);
  await program.parseAsync(argv);
}

function addStress(program: Command): void {
  program
    .command('stress')
    .description(
      'put load on a URL, and tell latencies, errors and who answered; exit code 1 when nobody did, or worse than before',
    )
    .argument('<url>')
    .option('--duration <time>', 'how long requests are sent', '10s')
    .option('--connections <number>', 'how many, each with one request at a time', '64')
    .option(
      '--rate <number>',
      'requests each second, however slow the answers are (default: each connection sends when it can)',
    )
    .option('--method <name>', 'of the requests', 'GET')
    .option('--header <line>', 'of the requests, such as "Accept: text/html"; may be repeated', repeated)
    .option('--body <text>', 'of the requests, or @file')
    .option('--timeout <time>', 'how long an answer is waited for', '10s')
    .option('--by <header>', 'count apart by a header of the answers, such as X-Server')
    .option('--report <file>', 'write the report there, as .json or .html; may be repeated', repeated)
    .option('--compare <file>', 'with an earlier report (.json); exit code 1 when worse')
    .option('--limit <percent>', 'how much worse is still well', '10')
    .option('--json', 'print the report as JSON; times are milliseconds', false)
    .action(async (url: string, options: StressArguments) => {
      const { stress } = await import('./stress.ts');
      return stress(url, options);
    });
}

function repeated(value: string, others: readonly string[] = []): readonly string[] {
  return [...others, value];
}
