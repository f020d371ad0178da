import { z } from 'zod';
import { loadConfig } from '../../internal/config/load.ts';
import type { Config } from '../../internal/config/schema.ts';
import { authority } from '../../internal/model/address.ts';
import { messageOf } from '../../internal/model/errors.ts';
import { loadOptions } from '../runtime/arguments.ts';
import { reachable } from './banner.ts';
import { EXIT } from './exit-codes.ts';
import { actorName } from './operate/actor-name.ts';

export interface ReloadArguments {
  readonly config: string | undefined;
  /** Undefined: both. */
  readonly only: 'proxy' | 'manager' | undefined;
  readonly json: boolean;
}

const AnswerSchema = z.object({ pid: z.int(), successor: z.int() });
const ProblemSchema = z.object({ detail: z.string() });

interface Result {
  readonly process: string;
  readonly pid?: number;
  readonly successor?: number;
  readonly error?: string;
  /** Nobody answers there. */
  readonly unreachable?: true;
}

/** What kept the manager from being replaced, such as a registry that cannot be used, is in the way of both. */
const LEFT = { error: 'left as it is: the manager goes first, and was not replaced' };

/**
 * `heimdall reload`: asks the running processes to have new ones take their place. The manager goes first: while the load
 * balancers change, somebody keeps the instances.
 */
export async function reload({ config: path, only, json }: ReloadArguments): Promise<void> {
  const { config } = await loadConfig(loadOptions(path));
  const results = await replaceProcesses(config, only, json ? () => {} : tell);
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  const isUnreachable = results.some(({ unreachable }) => unreachable);
  process.exitCode = results.some(hasFailed) ? EXIT.failed : isUnreachable ? EXIT.unreachable : EXIT.done;
}

/** One after the other. @param onResult - told of each at once. */
export async function replaceProcesses(
  { manager, proxy }: Pick<Config, 'manager' | 'proxy'>,
  only: ReloadArguments['only'],
  onResult: (result: Result) => void,
): Promise<readonly Result[]> {
  const targets = [
    { name: 'manager', process: 'server manager', address: manager },
    { name: 'proxy', process: 'load balancer', address: proxy.admin },
  ].filter(({ name }) => only === undefined || only === name);
  const results: Result[] = [];
  for (const { process: name, address } of targets) {
    const url = reachable(`http://${authority(address.host, address.port)}/reload`);
    const answer = results.some(hasFailed) ? LEFT : await ask(url, manager.token);
    const result = { process: name, ...answer };
    results.push(result);
    onResult(result);
  }
  return results;
}

function hasFailed({ error, unreachable }: Result): boolean {
  return error !== undefined && !unreachable;
}

async function ask(url: string, token: string | undefined): Promise<Omit<Result, 'process'>> {
  const headers = {
    'Heimdall-Actor': encodeURIComponent(actorName().toWellFormed()),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  try {
    const response = await fetch(url, { method: 'POST', headers });
    const body: unknown = await response.json();
    return response.ok ? AnswerSchema.parse(body) : { error: ProblemSchema.parse(body).detail };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    return {
      unreachable: true,
      error: `nobody answers on ${url} (${cause}); is heimdall running with this configuration?`,
    };
  }
}

function tell({ process: name, pid, successor, error }: Result): void {
  if (error !== undefined) process.stderr.write(`${name}: ${error}\n`);
  else process.stdout.write(`${name}: process ${successor} has taken over from ${pid}\n`);
}
