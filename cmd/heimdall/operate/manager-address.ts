import { readFile } from 'node:fs/promises';
import { authority } from '../../../internal/model/address.ts';
import { reachable } from '../banner.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';

/** As they stand on the command line. */
export interface AddressOptions {
  readonly config?: string;
  readonly manager?: string;
  readonly tokenFile?: string;
}

export interface ManagerAddress {
  readonly baseUrl: string;
  readonly token: string | undefined;
}

/** What the configuration says of the manager. */
interface ConfiguredManager {
  readonly host: string;
  readonly port: number;
  readonly token?: string | undefined;
}

/**
 * Where the manager is, and its token. What is named goes before the environment, and that before the configuration, which is
 * read only when it is needed. The token of the configuration goes to nobody but the manager of the configuration, unless
 * somebody has named both.
 * @param configured - reads the configuration.
 * @throws {CommandError} that names what is wrong.
 */
export async function managerAddress(
  { config, manager, tokenFile }: AddressOptions,
  env: NodeJS.ProcessEnv,
  configured: () => Promise<ConfiguredManager>,
): Promise<ManagerAddress> {
  const named = manager ?? env['HEIMDALL_MANAGER'];
  const url = named === undefined ? null : urlOf(named, manager === undefined ? 'HEIMDALL_MANAGER' : '--manager');
  const token = await tokenFrom(tokenFile, env);
  if (url !== null && (config === undefined || token !== undefined)) return { baseUrl: url, token };
  const found = await configured();
  return {
    baseUrl: url ?? reachable(`http://${authority(found.host, found.port)}`),
    token: token ?? found.token,
  };
}

/** @param file - goes before the environment. @throws {CommandError} without what it holds. */
export async function tokenFrom(file: string | undefined, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return file === undefined ? tokenOf(env) : tokenIn(file);
}

function urlOf(text: string, source: string): string {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  const isPlain = url?.username === '' && url.search === '' && url.hash === '';
  if (isPlain && ['http:', 'https:'].includes(url.protocol)) return url.href.replace(/\/+$/, '');
  const shown = text.replace(/[^/]*@/, '…@'); // there may be a password in it
  throw new UsageError(`${source}: expected the URL of a manager such as http://127.0.0.1:7000, not "${shown}"`);
}

async function tokenIn(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(EXIT.failed, `--token-file: ${why}`);
  });
  return oneToken(text, `--token-file: ${file}`);
}

function tokenOf({ HEIMDALL_TOKEN: token }: NodeJS.ProcessEnv): string | undefined {
  return token === undefined || token === '' ? token : oneToken(token, 'HEIMDALL_TOKEN');
}

/** @throws {CommandError} without what it holds. */
function oneToken(text: string, source: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CommandError(EXIT.failed, `${source} has to hold one token, and nothing else`);
}
