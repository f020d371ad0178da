import { z } from 'zod';
import { loadConfig } from '../../internal/config/load.ts';
import { authority } from '../../internal/model/address.ts';
import { messageOf } from '../../internal/model/errors.ts';
import { loadOptions } from '../runtime/arguments.ts';
import { reachable } from './banner.ts';

/** How long a load balancer may take; one that hangs answers never. */
const PATIENCE_MS = 10_000;

export interface AskArguments {
  readonly config: string | undefined;
  /** Print the answer as it came. */
  readonly json: boolean;
}

const ProblemSchema = z.object({ detail: z.string() });

/** What a command prints, and whether it is what was asked for. */
interface Told {
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Asks the admin interface of the configured load balancer, and prints what it says; exit code 1 when it knows nothing, or nobody
 * answers.
 * @param path - such as `/why/web`.
 * @param textOf - the answer for people.
 */
export async function askAdmin<S extends z.ZodType>(
  path: string,
  schema: S,
  textOf: (answer: z.output<S>) => string,
  options: AskArguments,
): Promise<void> {
  const { ok, text } = await toldBy(path, schema, textOf, options);
  if (ok) process.stdout.write(text);
  else process.stderr.write(`heimdall: ${text}\n`);
  process.exitCode = ok ? 0 : 1;
}

async function toldBy<S extends z.ZodType>(
  path: string,
  schema: S,
  textOf: (answer: z.output<S>) => string,
  { config: file, json }: AskArguments,
): Promise<Told> {
  const { config } = await loadConfig(loadOptions(file));
  const { manager, proxy } = config;
  const url = reachable(`http://${authority(proxy.admin.host, proxy.admin.port)}${path}`);
  const headers: Record<string, string> =
    manager.token === undefined ? {} : { Authorization: `Bearer ${manager.token}` };
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
    const body: unknown = await response.json();
    if (!response.ok) return { ok: false, text: ProblemSchema.parse(body).detail };
    return { ok: true, text: json ? `${JSON.stringify(body, null, 2)}\n` : textOf(schema.parse(body)) };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    const text = `no load balancer answers on ${url} (${cause}); is heimdall running with this configuration?`;
    return { ok: false, text };
  }
}
