import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { startTimeOf } from '../../internal/server/process-identity.ts';

/** Names one process for good: a pid alone may become another's. */
export const LivingProcessSchema = z.object({ pid: z.int(), startTime: z.string() });
export type LivingProcess = z.infer<typeof LivingProcessSchema>;

const EntrySchema = LivingProcessSchema.extend({ name: z.string(), starter: LivingProcessSchema.nullable() });

/** @throws when no such process runs. */
export async function living(pid: number): Promise<LivingProcess> {
  const startTime = await startTimeOf(pid);
  if (startTime === null) throw new Error(`no process runs under pid ${pid}`);
  return { pid, startTime };
}

export async function lives({ pid, startTime }: LivingProcess): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}

/** Which of heimdall's processes run on a data folder: each has a file there as long as it does. */
export class ProcessRegister {
  readonly #folder: string;

  /** @param dataDir - the folder of the registry. */
  constructor(dataDir: string) {
    this.#folder = join(dataDir, 'run');
  }

  /** @param starter - the `heimdall up` that the process belongs to. @returns what takes the entry away again. */
  async enter(name: string, starter: LivingProcess | null): Promise<() => Promise<void>> {
    const file = join(this.#folder, `${name}-${process.pid}.json`);
    await mkdir(this.#folder, { recursive: true });
    await writeFile(file, JSON.stringify({ ...(await living(process.pid)), name, starter }));
    return () => rm(file, { force: true });
  }

  /** The living processes of that name that belong to the starter. */
  async of(name: string, starter: LivingProcess): Promise<LivingProcess[]> {
    const files = await readdir(this.#folder).catch(() => []);
    const entries = await Promise.all(files.map((file) => readEntry(join(this.#folder, file))));
    return entries.flatMap((entry) => {
      const isTheirs =
        entry?.name === name && entry.starter?.pid === starter.pid && entry.starter.startTime === starter.startTime;
      return isTheirs ? [{ pid: entry.pid, startTime: entry.startTime }] : [];
    });
  }
}

/** Null when its process is gone; the file goes then, too. */
async function readEntry(file: string): Promise<z.infer<typeof EntrySchema> | null> {
  try {
    const entry = EntrySchema.parse(JSON.parse(await readFile(file, 'utf8')));
    if (await lives(entry)) return entry;
    await rm(file, { force: true });
  } catch {
    // written this moment, or not ours
  }
  return null;
}
