import type { Command } from 'commander';
import type { StressArguments } from '../stress-plan.ts';
import { examples, jsonOption, repeated } from './options.ts';

export function register(program: Command): void {
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
    .addOption(jsonOption('the report as JSON; times are milliseconds'))
    .addHelpText(
      'after',
      examples(
        ['heimdall stress localhost:8080', 'as much as 64 connections take, for ten seconds'],
        ['heimdall stress localhost:8080 --rate 500 --by X-Server', 'at a constant rate, and who answered how fast'],
      ),
    )
    .action(async (url: string, options: StressArguments) => {
      const { stress } = await import('../stress.ts');
      return stress(url, options);
    });
}
