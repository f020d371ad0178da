/** What the environment of the sample backend says; durations in milliseconds. */
export interface Settings {
  readonly host: string;
  /** Port to listen on; 0 takes any free one. */
  readonly port: number;
  /** Null: named after its port. */
  readonly name: string | null;
  readonly version: string;
  readonly startDelay: number;
  readonly failStart: boolean;
  /** From listening to the crash; null: never. */
  readonly crashAfter: number | null;
}

/** @throws {Error} naming the variable, its value, and what was expected. */
export function settingsFrom(env: NodeJS.ProcessEnv): Settings {
  const port = integer(env, 'PORT', 65_535);
  if (port === null) throw new Error('PORT is not set: give the port to listen on, for example PORT=9000');
  const name = env.SERVER_NAME || env.HEIMDALL_INSTANCE || null;
  if (name !== null && !/^[\x20-\x7e]+$/.test(name)) {
    throw new Error(`SERVER_NAME is ${JSON.stringify(name)}: it goes into a header field, so it must be plain ASCII`);
  }
  return {
    host: env.HOST || '127.0.0.1',
    port: integer(env, 'LISTEN_ON', 65_535) ?? port,
    name,
    version: env.VERSION || 'unversioned',
    startDelay: integer(env, 'START_DELAY') ?? 0,
    failStart: env.FAIL_START === '1',
    crashAfter: integer(env, 'CRASH_AFTER'),
  };
}

function integer(env: NodeJS.ProcessEnv, name: string, max = 2 ** 31 - 1): number | null {
  const text = env[name];
  if (!text) return null;
  if (/^\d+$/.test(text) && Number(text) <= max) return Number(text);
  throw new Error(`${name} is ${JSON.stringify(text)}: expected a whole number from 0 to ${max}`);
}
