import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HeimdallError } from '../model/errors.ts';
import type { RunAs } from '../model/service.ts';

/** Whom a process runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** Their folder, for HOME. */
  readonly home: string;
}

const run = promisify(execFile);

/**
 * Asks the system for a user and a group (`getent`), so that those of a directory service are found, too.
 * @throws {HeimdallError} COMMAND_FAILED when there is no such user or group, or when only root could switch to them.
 */
export async function accountOf({ user, group }: RunAs): Promise<Account> {
  const [, , uid = '', ownGid = '', , home = '/'] = await entry('passwd', user);
  const gid = group === undefined ? ownGid : (await entry('group', group))[2];
  const account = { uid: Number(uid), gid: Number(gid), home };
  const isOurs = process.getuid?.() === account.uid && process.getgid?.() === account.gid;
  if (process.getuid?.() === 0 || isOurs) return account;
  throw new HeimdallError(
    'COMMAND_FAILED',
    `runAs: only root may run instances as ${user}; heimdall does not run as root`,
  );
}

/** The fields of a line of the user or group database. */
async function entry(database: 'passwd' | 'group', key: string | number): Promise<readonly string[]> {
  const what = database === 'passwd' ? 'user' : 'group';
  try {
    const { stdout } = await run('getent', [database, String(key)]);
    return stdout.trim().split(':');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 2;
    const reason = missing ? `there is no ${what} ${key}` : `the ${what} ${key} cannot be looked up: getent failed`;
    throw new HeimdallError('COMMAND_FAILED', `runAs: ${reason}`, {}, { cause: error });
  }
}
