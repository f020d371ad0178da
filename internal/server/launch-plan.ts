import { delimiter } from 'node:path';
import { HeimdallError } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import type { Account } from './account.ts';

/** What an instance's process is started with. */
export interface LaunchPlan {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whom it runs as; absent: as the manager. */
  readonly account?: { readonly uid: number; readonly gid: number };
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Of the manager's own environment, besides PATH: the rest is none of an instance's business. */
const PASSED_ON = ['HOME', 'LANG'];

/**
 * Variables that choose which code a program runs or where it loads it from, and those that are the manager's to set.
 * The API takes variables from its callers; it must not be able to run anything but the declared command. The list holds
 * what the common loaders, shells and runtimes look at; a program's own switches only its operator can know.
 */
const FORBIDDEN = [
  /^(PORT|HEIMDALL_.*|PATH|HOME)$/,
  /^(LD|DYLD)_/,
  /^(GCONV_PATH|LOCPATH|OPENSSL_CONF|OPENSSL_MODULES)$/,
  /^(BASH_ENV|ENV|SHELLOPTS|BASHOPTS|PS4|IFS)$/,
  /^NODE_(OPTIONS|PATH|EXTRA_CA_CERTS|REPL_EXTERNAL_MODULE)$/,
  /^(npm_config_|BUN_|DENO_)/i,
  /^PYTHON(PATH|HOME|STARTUP|USERBASE|BREAKPOINT|WARNINGS|PYCACHEPREFIX|INSPECT)$/,
  /^(PERL5?(OPT|LIB|5DB)|RUBY(OPT|LIB)|GEM_(HOME|PATH)|BUNDLE_.*|PHPRC|PHP_INI_SCAN_DIR|LUA_(PATH|CPATH|INIT).*)$/,
  /^(_JAVA_OPTIONS|JAVA_(TOOL_OPTIONS|OPTS|HOME)|JDK_JAVA_OPTIONS|CLASSPATH|DOTNET_STARTUP_HOOKS|DOTNET_ROOT.*|CORECLR_.*)$/,
];

/** @throws {HeimdallError} INVALID_REQUEST naming every variable that a caller may not set. */
export function assertAllowedEnv(env: Readonly<Record<string, string>>): void {
  const refused = Object.keys(env).filter((name) => FORBIDDEN.some((pattern) => pattern.test(name)));
  if (refused.length === 0) return;
  throw new HeimdallError(
    'INVALID_REQUEST',
    `env may not set ${refused.join(', ')}: such variables are set by heimdall or change which code is run; ` +
      'set them in the configuration of the service',
  );
}

/**
 * The declared command with `{port}` and `{host}` filled in, and a clean environment: PATH (with the folder of this Node first,
 * so that `node` is the one that runs heimdall), HOME and LANG of the manager, HOST, the service's and the instance's
 * variables, ours last.
 * @param account - whom it runs as; HOME is theirs then.
 * @throws {HeimdallError} COMMAND_FAILED when the service, or the version of it that is wanted, is not declared any more.
 */
export function launchPlan(
  instance: Instance,
  service: Service,
  token: string,
  base: Environment,
  nodeDir: string,
  account: Account | null = null,
): LaunchPlan {
  const { host, port } = instance;
  const withAddress = (text: string) => text.replaceAll('{port}', String(port)).replaceAll('{host}', host);
  const { command, cwd, env: declared } = variantOf(service, instance.variant);
  const [file, ...args] = (command ?? []).map(withAddress);
  if (file === undefined) throw new HeimdallError('COMMAND_FAILED', `service ${service.name} has no command`);

  const env: Record<string, string> = { PATH: [nodeDir, ...(base['PATH'] ? [base['PATH']] : [])].join(delimiter) };
  for (const name of PASSED_ON) {
    const value = base[name];
    if (value !== undefined) env[name] = value;
  }
  if (account !== null) env['HOME'] = account.home;
  env['HOST'] = host; // where to listen, unless the service knows better
  for (const [name, value] of Object.entries({ ...declared, ...instance.env })) env[name] = withAddress(value);
  if (instance.version !== null) env['VERSION'] = instance.version;
  env['PORT'] = String(port);
  env['HEIMDALL_INSTANCE'] = instance.id;
  env['HEIMDALL_SERVICE'] = service.name;
  env['HEIMDALL_INSTANCE_TOKEN'] = token;
  if (account === null) return { file, args, cwd, env };
  const { uid, gid } = account;
  return { file, args, cwd, env, account: { uid, gid } };
}

/** How an instance of the variant is started: as the service says, where the variant does not say otherwise. */
function variantOf(service: Service, name: string | null): Pick<Service, 'command' | 'cwd' | 'env'> {
  if (name === null) return service;
  const variant = service.versions[name];
  if (variant === undefined) {
    const message = `version "${name}" of service ${service.name} is not in the configuration any more`;
    throw new HeimdallError('COMMAND_FAILED', message);
  }
  const { command = service.command, cwd = service.cwd } = variant;
  return { command, cwd, env: { ...service.env, ...variant.env } };
}
