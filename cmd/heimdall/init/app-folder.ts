import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What lies in the folder of an app, as far as it tells how to run it. */
export interface AppFolder {
  /** Absolute. */
  readonly path: string;
  /** The last part of the path. */
  readonly name: string;
  /** Relative paths with `/`, a few levels deep; of installed packages the programs alone. */
  readonly files: ReadonlySet<string>;
  /** The texts of sources, and of files that describe the app. */
  readonly texts: ReadonlyMap<string, string>;
  /** Compiled programs, by their relative paths. */
  readonly programs: readonly string[];
}

const DEPTH = 3;
const MOST_FILES = 3_000;
const MOST_TEXTS = 400;
const LARGEST_TEXT = 256 * 1_024;
/** What others have written, and what is made from the sources. */
const PASSED_OVER = new Set([
  'node_modules',
  'bower_components',
  '__pycache__',
  'vendor',
  'coverage',
  'test',
  'tests',
  '.git',
]);
const DESCRIPTIONS =
  /^(package\.json|Procfile|Dockerfile|requirements\.txt|pyproject\.toml|Pipfile|Gemfile|go\.mod|Cargo\.toml|pom\.xml)$/;
const SOURCES = /\.(?:[cm]?[jt]s|[jt]sx|py|rb|go|rs|java|kt|php|ex|cs)$/;
/** How an ELF or a Mach-O file begins. */
const PROGRAM_HEADS = new Set(['7f454c46', 'cffaedfe', 'cafebabe']);
const PROGRAM_FOLDERS = /^(?:|bin\/|build\/|out\/|target\/release\/)[^/.]+$/;
const EXECUTABLE = 0o111;

/** Reads what there is; a folder that cannot be read is empty. */
export async function readAppFolder(path: string): Promise<AppFolder> {
  const files = [...(await walk(path, '', DEPTH)), ...(await binaries(path))].slice(0, MOST_FILES);
  const readable = files.filter((file) => DESCRIPTIONS.test(file) || SOURCES.test(file)).slice(0, MOST_TEXTS);
  const texts = await Promise.all(readable.map(async (file) => [file, await textOf(join(path, file))] as const));
  const candidates = files.filter((file) => PROGRAM_FOLDERS.test(file));
  const programs = await Promise.all(
    candidates.map(async (file) => ((await isProgram(join(path, file))) ? [file] : [])),
  );
  return { path, name: basename(path), files: new Set(files), texts: new Map(texts), programs: programs.flat() };
}

async function walk(root: string, folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => Number(a.isDirectory()) - Number(b.isDirectory()))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) found.push(path);
    else if (depth > 1 && !PASSED_OVER.has(entry.name)) found.push(...(await walk(root, path, depth - 1)));
    if (found.length >= MOST_FILES) break;
  }
  return found;
}

async function binaries(root: string): Promise<string[]> {
  const folder = 'node_modules/.bin';
  return (await readdir(join(root, folder)).catch(() => [])).map((name) => `${folder}/${name}`);
}

async function textOf(path: string): Promise<string> {
  const size = await stat(path).then(
    (stats) => stats.size,
    () => Number.POSITIVE_INFINITY,
  );
  return size > LARGEST_TEXT ? '' : readFile(path, 'utf8').catch(() => '');
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    const stats = await file.stat();
    if (!stats.isFile() || (stats.mode & EXECUTABLE) === 0) return false;
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return PROGRAM_HEADS.has(buffer.toString('hex'));
  } catch {
    return false;
  }
}
