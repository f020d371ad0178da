import { existsSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { checkConfig } from '../../../internal/config/load.ts';
import { isPortFree } from '../../../internal/server/bind-probe.ts';
import { describeListener } from '../../../internal/server/port-owner.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';
import { type AppFolder, readAppFolder } from './app-folder.ts';
import { lineOf } from './command-line.ts';
import { type Guess, guessOf } from './guess.ts';
import { configOf, DEFAULT_PORTS, type OwnPorts, type Plan, TCP } from './plan.ts';
import { ANSWERS, askFor } from './questions.ts';
import { nextSteps } from './next-steps.ts';
import { type Trial, tryApp } from './trial.ts';

const DEFAULT_INSTANCES = 2;
/** How far a port is looked for when the usual one is taken. */
const PORTS_TO_TRY = 100;

export interface InitArguments {
  readonly config?: string;
  readonly name?: string;
  readonly command?: string;
  readonly instances?: string;
  readonly port?: string;
  readonly health?: string;
  readonly webhook?: string;
  readonly mail?: string;
  readonly mailServer: string;
  /** Undefined: on a terminal. */
  readonly try?: boolean;
  readonly yes: boolean;
  readonly force: boolean;
  readonly json: boolean;
}

/** What is said besides the result, one line each. */
type Say = (line: string) => void;

/**
 * `heimdall init [FOLDER]`: a configuration for the app in the folder, from what lies there, flags and answers.
 * @throws {UsageError} when a flag is wrong, or nothing tells how to start the app.
 * @throws {CommandError} when the file exists, or the app does not run as it should; the file is written all the same then.
 */
export async function init(given: string | undefined, options: InitArguments): Promise<void> {
  const folder = resolve(given ?? '.');
  const file = resolve(options.config ?? join(folder, 'config.json'));
  await refuseUnusable(folder, file, options.force);
  const say: Say = options.json ? () => {} : (line) => process.stdout.write(`${line}\n`);
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort(new CommandError(EXIT.interrupted, 'given up; nothing was written'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const app = await readAppFolder(folder);
    const guess = guessOf(app, Number(process.versions.node.split('.')[0]));
    const isAsking = process.stdin.isTTY && process.stdout.isTTY && !options.yes && !options.json;
    const plan = await planned(app, guess, options, isAsking, say, interrupt.signal);
    const trial =
      (options.try ?? isAsking) ? await tried(plan, file, folder, guess, options, say, interrupt.signal) : null;
    const final = { ...plan, health: trial?.health ?? plan.health };
    const config = configOf(final, file, folder);
    checkConfig(config, { env: {}, cwd: dirname(file) });
    await writeFile(file, `${JSON.stringify(config, null, 2)}\n`, { flag: options.force ? 'w' : 'wx' });
    if (options.json) process.stdout.write(`${JSON.stringify({ file, config, notes: guess.notes, trial }, null, 2)}\n`);
    else if (trial?.ok !== false) say(nextSteps(file, final));
    if (trial?.ok === false) throw new CommandError(EXIT.failed, `${file} is written, but the app: ${trial.verdict}`);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

async function refuseUnusable(folder: string, file: string, force: boolean): Promise<void> {
  const isFolder = await stat(folder).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new UsageError(`there is no folder ${folder}`);
  if (force || !existsSync(file)) return;
  const message = `${file} exists already; name another file with --config, or replace it with --force`;
  throw new CommandError(EXIT.failed, message);
}

/** Flags go before guesses, answers before both. */
async function planned(
  app: AppFolder,
  guess: Guess,
  options: InitArguments,
  isAsking: boolean,
  say: Say,
  signal: AbortSignal,
): Promise<Plan> {
  const command = options.command === undefined ? guess.command : flag('command', options.command);
  const known = {
    name: options.name === undefined ? guess.name : flag('name', options.name),
    instances: options.instances === undefined ? DEFAULT_INSTANCES : flag('instances', options.instances),
    ports: await ownPorts(options.port === undefined ? null : flag('port', options.port), say),
    health: options.health === undefined ? (guess.healthPaths[0] ?? TCP) : flag('health', options.health),
    webhook: options.webhook === undefined ? null : flag('webhook', options.webhook),
    mail: mailOf(options),
  };
  for (const note of guess.notes) say(`Note: ${note}.`);
  if (isAsking) {
    if (guess.command) say(`${guess.command.from} tells how to start the app.`);
    return askFor({ ...known, ...(command === null ? {} : { command }) }, signal);
  }
  if (command === null) {
    throw new UsageError(
      `nothing in ${app.path} tells how to start the app: add --command, such as --command "node server.js"`,
    );
  }
  if (options.command === undefined) say(`Command: ${lineOf(command.command)} (from ${guess.command?.from})`);
  if (options.health === undefined) say(`Health check: ${healthFrom(guess)}`);
  return { ...known, command };
}

function healthFrom({ healthPaths: [path] }: Guess): string {
  return path === undefined
    ? 'connects only, as no source mentions a path for it (--try looks for one)'
    : `${path} (from the sources)`;
}

function mailOf({ mail, mailServer }: InitArguments): Plan['mail'] {
  if (mail === undefined) return null;
  const to = flag('mail', mail);
  const server = ANSWERS.server.safeParse(mailServer);
  if (!server.success) throw new UsageError(`--mail-server: ${server.error.issues[0]?.message}, not "${mailServer}"`);
  return to === null ? null : { to, server: server.data };
}

function flag<N extends keyof typeof ANSWERS>(name: N, value: string): ReturnType<(typeof ANSWERS)[N]['parse']>;
function flag(name: keyof typeof ANSWERS, value: string): unknown {
  const parsed = ANSWERS[name].safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--${name}: ${parsed.error.issues[0]?.message}, not "${value}"`);
}

/** The usual ports; for one that is taken, the next that is free. @param proxy - the one that was asked for. */
async function ownPorts(proxy: number | null, say: Say): Promise<OwnPorts> {
  const chosen = new Set<number>(proxy === null ? [] : [proxy]);
  const choose = async (wanted: number, what: string): Promise<number> => {
    for (let port = wanted; port < wanted + PORTS_TO_TRY; port += 1) {
      if (chosen.has(port) || !(await isPortFree(port))) continue;
      chosen.add(port);
      if (port !== wanted && !chosen.has(wanted)) {
        const holder = (await describeListener(wanted)) ?? 'another program';
        say(`Port ${wanted} is taken by ${holder}: ${what} gets ${port}.`);
      }
      return port;
    }
    return wanted;
  };
  return {
    proxy: proxy ?? (await choose(DEFAULT_PORTS.proxy, 'the load balancer')),
    admin: await choose(DEFAULT_PORTS.admin, 'its admin interface'),
    manager: await choose(DEFAULT_PORTS.manager, 'the server manager'),
  };
}

async function tried(
  plan: Plan,
  file: string,
  folder: string,
  guess: Guess,
  options: InitArguments,
  say: Say,
  signal: AbortSignal,
): Promise<Trial> {
  say(`Trying it: ${lineOf(plan.command.command)}`);
  const { config } = checkConfig(configOf(plan, file, folder), { env: {}, cwd: dirname(file) });
  const [service] = config.services;
  if (service === undefined) throw new Error('the configuration has no service');
  // that nothing is known of a path is no wish to ask for none
  const health = plan.health === TCP && options.health === undefined ? null : plan.health;
  const trial = await tryApp({
    service,
    health,
    others: guess.healthPaths,
    ports: config.ports,
    env: process.env,
    signal,
  });
  for (const line of trial.output) say(`  | ${line}`);
  if (trial.ok) say(`Well: ${trial.verdict}.`);
  return trial;
}
