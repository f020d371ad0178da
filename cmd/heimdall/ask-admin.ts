import { z } from 'zod';
import { loadConfig } from '../../internal/config/load.ts';
import { authority } from '../../internal/model/address.ts';
import { messageOf } from '../../internal/model/errors.ts';
import { loadOptions } from '../runtime/arguments.ts';
import { reachable } from './banner.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-codes.ts';

/** How long a load balancer may take; one that hangs answers never. */
const PATIENCE_MS = 10_000;

export interface AskArguments {
  readonly config: string | undefined;
  /** Print the answer as it came. */
  readonly json: boolean;
}

const ProblemSchema = z.object({ detail: z.string() });

/**
 * Asks the admin interface of the configured load balancer, and prints what it says.
 * @param path - such as `/why/web`.
 * @param textOf - the answer for people.
 * @throws {CommandError} when it knows nothing, or nobody answers.
 */
export async function askAdmin<S extends z.ZodType>(
  path: string,
  schema: S,
  textOf: (answer: z.output<S>) => string,
  { config: file, json }: AskArguments,
): Promise<void> {
  const { config } = await loadConfig(loadOptions(file));
  const { manager, proxy } = config;
  const url = reachable(`http://${authority(proxy.admin.host, proxy.admin.port)}${path}`);
  const { ok, body } = await answerOf(url, manager.token);
  if (!ok) throw new CommandError(EXIT.failed, ProblemSchema.parse(body).detail);
  process.stdout.write(json ? `${JSON.stringify(body, null, 2)}\n` : textOf(schema.parse(body)));
}

async function answerOf(url: string, token: string | undefined): Promise<{ ok: boolean; body: unknown }> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
    return { ok: response.ok, body: await response.json() };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    const message = `no load balancer answers on ${url} (${cause}); is heimdall running with this configuration?`;
    throw new CommandError(EXIT.unreachable, message);
  }
}
