import { userInfo } from 'node:os';

/** The name under which this user has logged in; some containers have no entry for theirs. */
export function actorName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? 'cli';
  }
}
