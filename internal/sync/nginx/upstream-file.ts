import { access, chmod, chown, copyFile, open, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { messageOf } from '../../model/errors.ts';
import { FrontError } from '../front.ts';

/**
 * The file that nginx includes. Whoever reads it sees all of the old text or all of the new one, also after a power failure.
 * As long as nginx has not taken the new one over, the old one lies beside it, under a name that no `include *.conf` and no
 * `include *` meets; so a run that was killed in between is known to the next one.
 */
export class UpstreamFile {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** @param path - a link is followed: it stays one. */
  static async at(path: string): Promise<UpstreamFile> {
    return new UpstreamFile(await realpath(path).catch(() => targetOf(path)));
  }

  /** Null when there is none. @throws {FrontError} */
  async read(): Promise<string | null> {
    return readFile(this.path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw new FrontError(`${this.path} cannot be read: ${messageOf(error)}`);
    });
  }

  /** Whether nginx is not known to have taken over what is there. */
  async isPending(): Promise<boolean> {
    return exists(this.#before);
  }

  /** Puts a text there; what was there before can be put back until it is confirmed. @throws {FrontError} nothing has changed. */
  async write(text: string): Promise<void> {
    try {
      await this.#keepOld();
      await this.#replace(text);
    } catch (error) {
      throw new FrontError(`${this.path} cannot be written: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Puts the last text back that was confirmed. */
  async restore(): Promise<void> {
    if (!(await this.isPending())) return;
    await rename(this.#before, this.path);
    await syncFolder(dirname(this.path));
  }

  /** nginx has taken it over. */
  async confirm(): Promise<void> {
    await rm(this.#before, { force: true });
  }

  get #before(): string {
    return this.#beside('before');
  }

  #beside(suffix: string): string {
    return join(dirname(this.path), `.${basename(this.path)}.heimdall-${suffix}`);
  }

  /** Where there was none, an empty one is what was there before: an `include` of it goes on to work. */
  async #keepOld(): Promise<void> {
    if (await this.isPending()) return; // what is there now never was in force
    const copy = this.#beside('copy');
    if (await exists(this.path)) await copyFile(this.path, copy);
    else await (await open(copy, 'w')).close();
    await this.#takeMode(copy);
    await rename(copy, this.#before);
  }

  async #replace(text: string): Promise<void> {
    const next = this.#beside('new');
    const handle = await open(next, 'w', 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await this.#takeMode(next);
    await rename(next, this.path);
    await syncFolder(dirname(this.path));
  }

  /** Mode and owner stay as somebody has set them. */
  async #takeMode(path: string): Promise<void> {
    const old = await stat(this.path).catch(() => null);
    if (old === null) return;
    await chmod(path, old.mode);
    const { uid, gid } = await stat(path);
    if (uid !== old.uid || gid !== old.gid) await chown(path, old.uid, old.gid);
  }
}

/** Of a link to a file that is not there yet. */
async function targetOf(path: string): Promise<string> {
  const target = await readlink(path).catch(() => '');
  return resolve(dirname(path), target === '' ? path : target);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A new name outlasts a power failure only with its folder. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
