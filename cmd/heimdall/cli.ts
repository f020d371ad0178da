import { Command } from 'commander';
import { packageVersion } from '../runtime/package-info.ts';
import { register as agent } from './commands/agent.ts';
import { register as alerts } from './commands/alerts.ts';
import { register as backup } from './commands/backup.ts';
import { register as check } from './commands/check.ts';
import { register as completion } from './commands/completion.ts';
import { register as deploy } from './commands/deploy.ts';
import { register as deployments } from './commands/deployments.ts';
import { register as doctor } from './commands/doctor.ts';
import { register as events } from './commands/events.ts';
import { register as explain } from './commands/explain.ts';
import { register as init } from './commands/init.ts';
import { register as logs } from './commands/logs.ts';
import { register as manager } from './commands/manager.ts';
import { register as nodes } from './commands/nodes.ts';
import { register as proxy } from './commands/proxy.ts';
import { register as registry } from './commands/registry.ts';
import { register as reload } from './commands/reload.ts';
import { register as restore } from './commands/restore.ts';
import { register as servers } from './commands/servers.ts';
import { register as services } from './commands/services.ts';
import { register as simulate } from './commands/simulate.ts';
import { register as stress } from './commands/stress.ts';
import { register as sync } from './commands/sync.ts';
import { register as top } from './commands/top.ts';
import { register as up } from './commands/up.ts';
import { register as why } from './commands/why.ts';
import { refuseUnknown } from './commands/unknown-command.ts';
import { HELP_STYLE } from './commands/help-style.ts';
import { examples } from './commands/options.ts';
import { EXIT } from './exit-codes.ts';
import { tellFailure } from './failure.ts';
import { watchOutput } from './terminal/watch-output.ts';

/** By heading in the help. A command declares itself, and loads what it does only when it is called. */
const GROUPS: readonly (readonly [heading: string, commands: readonly ((program: Command) => void)[]])[] = [
  ['Run:', [init, up, manager, proxy, agent, sync, reload, check]],
  ['Steer:', [servers, services, deploy, deployments]],
  ['Watch:', [top, logs, events, alerts, nodes]],
  ['Understand:', [doctor, explain, why, simulate, stress]],
  ['Keep:', [backup, restore, registry, completion]],
];

/** Those that run on, whether or not anybody reads what they write. */
const SERVING = new Set(['up', 'manager', 'proxy', 'agent', 'nginx', 'haproxy']);

const EXAMPLES = examples(
  ['heimdall up', 'manager, load balancer and every configured instance; Ctrl-C drains and stops all'],
  ['heimdall reload', 'the installed version, in place of the running one; nobody notices'],
  ['heimdall servers list', 'what runs'],
  ['heimdall deploy web --version 1.4.2', 'another release in the place of the running one, a few instances at a time'],
  ['heimdall top', 'services and instances, live'],
  ['heimdall logs -f web', 'what its instances write'],
  ['heimdall explain ID', 'why the request with that X-Request-Id went where it went'],
  ['heimdall stress localhost:8080 --rate 500', 'load at a constant rate, and who answered how fast'],
);

const EXIT_CODES = `
Exit codes:
  ${EXIT.done}    done
  ${EXIT.failed}    failed: the system said no, something went wrong, or a deployment went back
  ${EXIT.usage}    wrong usage
  ${EXIT.unreachable}    nobody answers: no manager or load balancer can be reached
  ${EXIT.interrupted}  ended by Ctrl-C
`;

/** All commands, declared; nothing of what they do is loaded. @param isJson - how wrong usage is told. */
export function createProgram(isJson = false): Command {
  const program = new Command('heimdall')
    .description('Runs several instances of an HTTP app and balances over them without losing a request.')
    .version(packageVersion)
    .configureHelp(HELP_STYLE)
    .addHelpText('after', `${EXAMPLES}${EXIT_CODES}`)
    .configureOutput({ outputError: (text, write) => write(isJson ? usageJson(text) : text) })
    .enablePositionalOptions() // so that `deploy --version` is not our own
    .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));
  for (const [heading, commands] of GROUPS) {
    program.commandsGroup(heading);
    for (const register of commands) register(program);
  }
  for (const group of program.commands.filter(({ commands }) => commands.length > 0)) refuseUnknown(group);
  return program;
}

/** Runs what the command line asks for, and loads no more than that; sets the exit code, see `exit-codes.ts`. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  const isJson = argv.includes('--json');
  const program = createProgram(isJson);
  program.hook('preAction', (_, command) => {
    if (!SERVING.has(command.name())) watchOutput(process);
  });
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = tellFailure(error, isJson);
  }
}

/** What commander says of wrong usage, as scripts get every other failure. */
function usageJson(text: string): string {
  return `${JSON.stringify({ error: text.trim().replace(/^error: /, ''), exitCode: EXIT.usage })}\n`;
}
