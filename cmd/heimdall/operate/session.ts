import { type Client, createClient } from '../../../internal/client/client.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import { actorName } from './actor-name.ts';
import { configuredManager } from './configured-manager.ts';
import { type AddressOptions, managerAddress } from './manager-address.ts';

/** What every command that talks to the manager takes. */
export interface OperateOptions extends AddressOptions {
  readonly json: boolean;
}

/** One command on its way: whom it talks to, who asks, and how it tells. */
export interface Session {
  readonly client: Client;
  readonly baseUrl: string;
  /** The name under which this user has logged in. */
  readonly actor: string;
  readonly json: boolean;
  /** For standard output. */
  readonly paint: Paint;
}

/** Finds the manager; nothing is sent. @throws {CommandError} when it is not clear which one is meant. */
export async function openSession(options: OperateOptions): Promise<Session> {
  const { baseUrl, token } = await managerAddress(options, process.env, () => configuredManager(options.config));
  const actor = actorName();
  const client = createClient({ baseUrl, token, actor });
  return { client, baseUrl, actor, json: options.json, paint: paintFor(process.stdout) };
}

/** Prints what a command found: as it is for scripts, in words for people. */
export function print<T>({ json }: Pick<Session, 'json'>, answer: T, textOf: (answer: T) => string): void {
  process.stdout.write(json ? `${JSON.stringify(answer, null, 2)}\n` : textOf(answer));
}
