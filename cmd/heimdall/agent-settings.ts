import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { type AgentSettings, AgentSettingsSchema } from '../../internal/agent/settings.ts';
import { nodeNameOf } from '../../internal/config/node-name.ts';
import { substitute, type Substitution } from '../../internal/config/placeholders.ts';
import { formatPath } from '../../internal/config/problem.ts';
import { messageOf } from '../../internal/model/errors.ts';
import { parseJson } from '../../internal/model/json.ts';
import type { EtcdSettings } from '../../internal/model/registry-settings.ts';
import { UsageError } from './command-error.ts';

/** As they stand on the command line. */
export interface AgentArguments {
  readonly app?: readonly string[];
  readonly service?: readonly string[];
  readonly manager?: readonly string[];
  readonly etcd?: readonly string[];
  readonly host?: string;
  readonly weight?: string;
  readonly version?: string;
  readonly metadata?: readonly string[];
  readonly healthPath?: string;
  readonly interval?: string;
  readonly node?: string;
  readonly tokenFile?: string;
  readonly config?: string;
}

type Issue = Pick<z.core.$ZodIssue, 'path' | 'message'>;

/** Which option a setting comes from. */
const OPTIONS: Readonly<Record<string, string>> = {
  service: '--app',
  port: '--app',
  host: '--host',
  weight: '--weight',
  version: '--version',
  metadata: '--metadata',
  path: '--health-path',
  interval: '--interval',
  node: '--node',
  managers: '--manager',
  endpoints: '--etcd',
};
const LOCAL_MANAGER = 'http://127.0.0.1:7000';

/** @throws {UsageError} that names the option at fault. */
export function settingsFrom(options: AgentArguments, env: NodeJS.ProcessEnv): AgentSettings {
  if (options.etcd !== undefined && options.manager !== undefined) {
    throw new UsageError('--etcd: goes in place of --manager; give one of them');
  }
  const { host, weight, version, metadata, healthPath: path, interval } = options;
  const named = metadata?.map((text) => pairOf(text, '--metadata', 'name=value'));
  const common = {
    ...(host === undefined ? {} : { host }),
    ...(weight === undefined ? {} : { weight: numberOf(weight) }),
    ...(version === undefined ? {} : { version }),
    ...(named === undefined ? {} : { metadata: Object.fromEntries(named) }),
    healthCheck: { ...(path === undefined ? {} : { path }), ...(interval === undefined ? {} : { interval }) },
  };
  const settings = {
    node: options.node ?? ownName(),
    ...(options.etcd === undefined
      ? { managers: options.manager ?? [managerOf(env)] }
      : { etcd: { endpoints: options.etcd.flatMap((urls) => urls.split(',')) } }),
    apps: appsOf(options).map((app) => ({ ...app, ...common })),
  };
  return checked(settings, ({ path: at, message }) => {
    const option = at.findLast((key) => typeof key === 'string' && key in OPTIONS);
    return `${OPTIONS[String(option)] ?? '--app'}: ${message}`;
  });
}

/** @param text - of the file, with `"${NAME}"` for variables of the environment. @throws {UsageError} that names the file, and the key at fault. */
export function settingsInFile(text: string, file: string, env: NodeJS.ProcessEnv): AgentSettings {
  let content: unknown;
  try {
    content = parseJson(text);
  } catch (error) {
    throw new UsageError(`${file}: ${messageOf(error)}`);
  }
  if (typeof content !== 'object' || content === null) throw new UsageError(`${file}: expected an object`);
  const managers = 'etcd' in content || 'managers' in content ? {} : { managers: [managerOf(env)] };
  const context: Substitution = { env, origins: new Map(), problems: [] };
  const settings = substitute({ node: ownName(), ...managers, ...content }, [], context);
  if (context.problems.length > 0) {
    throw new UsageError(context.problems.map(({ path, message }) => `${file}: ${path}: ${message}`).join('\n'));
  }
  const words = ({ path, message }: Issue) => {
    const place = formatPath(path);
    const variable = context.origins.get(place);
    const source = variable === undefined ? '' : ` (the value comes from ${variable})`;
    return `${file}: ${place || 'settings'}: ${message}${source}`;
  };
  const { etcd, ...rest } = checked(settings, words);
  return etcd === undefined ? rest : { ...rest, etcd: { ...etcd, ...pemFiles(etcd, dirname(file)) } };
}

/** They are named relative to the file that names them. */
function pemFiles(etcd: EtcdSettings, folder: string): Pick<EtcdSettings, 'ca' | 'cert' | 'key'> {
  const files = (['ca', 'cert', 'key'] as const).flatMap((key) => {
    const file = etcd[key];
    return file === undefined ? [] : [[key, resolve(folder, file)] as const];
  });
  return Object.fromEntries(files);
}

function managerOf(env: NodeJS.ProcessEnv): string {
  return env['HEIMDALL_MANAGER'] ?? LOCAL_MANAGER;
}

function ownName(): string {
  return nodeNameOf({ node: { address: '' } });
}

function checked(settings: unknown, words: (issue: Issue) => string): AgentSettings {
  const parsed = AgentSettingsSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new UsageError(parsed.error.issues.map((issue) => words(insideOf(issue))).join('\n'));
}

/** What is wrong with a key stands inside of what is wrong with its object. */
function insideOf({ path, ...issue }: z.core.$ZodIssue): Issue {
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return { path, message };
}

/** Apps that name no service have those of `--service`, in order; a single one is that of all. */
function appsOf({ app: apps = [], service: services = [] }: AgentArguments) {
  const unnamed = apps.filter((app) => !app.includes('='));
  if (apps.length === 0) throw new UsageError('--app: which app is to be announced? Such as --app web=8080');
  if (services.length > 1 && services.length !== unnamed.length) {
    throw new UsageError(`--service: ${services.length} services for ${unnamed.length} apps that name none`);
  }
  if (services.length > 0 && unnamed.length === 0) throw new UsageError('--service: every --app names its own already');
  return apps.map((app) => {
    if (app.includes('=')) {
      const [service, port] = pairOf(app, '--app', 'SERVICE=PORT');
      return { service, port: numberOf(port) };
    }
    const service = services.length === 1 ? services[0] : services[unnamed.indexOf(app)];
    if (service === undefined) throw new UsageError(`--app ${app}: of which service? Such as --app web=${app}`);
    return { service, port: numberOf(app) };
  });
}

/** What is no number is left for the check to refuse. */
function numberOf(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function pairOf(text: string, option: string, form: string): readonly [name: string, value: string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new UsageError(`${option}: expected ${form}, not "${text}"`);
  return [name, value];
}
