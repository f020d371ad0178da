import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'cookie-secret';
const SECRET_BYTES = 32;
/** In base64url. */
const SECRET_LENGTH = 43;

/**
 * The secret that signs sticky cookies, made at the first start and kept in the data folder, so that clients stay with
 * their instance over a restart of the load balancer. A file that is too short to be one, left by a full disk for
 * instance, is replaced: an empty secret would let anybody sign.
 * @throws the error of the file system when the folder can be neither read nor written.
 */
export async function loadCookieSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, FILE);
  const known = await read(path);
  if (known !== null) return known;
  const draft = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(dataDir, { recursive: true });
  try {
    await writeFile(draft, randomBytes(SECRET_BYTES).toString('base64url'), { flag: 'wx', mode: 0o600 });
    await publish(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  const secret = await read(path);
  if (secret === null) throw new Error(`${path} does not keep what is written to it`);
  return secret;
}

/** Whole or not at all: another load balancer that starts at this moment must not read half a secret, nor keep its own. */
async function publish(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    if ((await read(path)) === null) await rename(draft, path);
  }
}

async function read(path: string): Promise<string | null> {
  try {
    const secret = (await readFile(path, 'utf8')).trim();
    return secret.length < SECRET_LENGTH ? null : secret;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
