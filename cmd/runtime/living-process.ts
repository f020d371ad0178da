import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { startTimeOf } from '../../internal/server/process-identity.ts';

/** Names one process for good: a pid alone may become another's. */
export const LivingProcessSchema = z.object({ pid: z.int(), startTime: z.string() });
export type LivingProcess = z.infer<typeof LivingProcessSchema>;

const EntrySchema = LivingProcessSchema.extend({
  name: z.string(),
  starter: LivingProcessSchema.nullable(),
  /** A successor has taken over; this one finishes what it has. */
  isRetiring: z.boolean(),
});
type Entry = z.infer<typeof EntrySchema>;

/** Where the processes of one `heimdall up` find each other, whatever becomes of the configuration meanwhile. */
export const REGISTER_VARIABLE = 'HEIMDALL_RUN';

/** @throws when no such process runs. */
export async function living(pid: number): Promise<LivingProcess> {
  const startTime = await startTimeOf(pid);
  if (startTime === null) throw new Error(`no process runs under pid ${pid}`);
  return { pid, startTime };
}

export async function lives({ pid, startTime }: LivingProcess): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}

/** Which of heimdall's processes run: each has a file in the folder as long as it does. */
export class ProcessRegister {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Says that this process runs, or how. @param starter - the `heimdall up` that it belongs to. */
  async enter(name: string, starter: LivingProcess | null, isRetiring: boolean): Promise<void> {
    const entry: Entry = { ...(await living(process.pid)), name, starter, isRetiring };
    await mkdir(this.folder, { recursive: true });
    const file = this.#fileOf(name);
    await writeFile(`${file}.new`, JSON.stringify(entry));
    await rename(`${file}.new`, file); // nobody reads half an entry
  }

  async leave(name: string): Promise<void> {
    await rm(this.#fileOf(name), { force: true });
  }

  /** The living processes of that name that belong to the starter. */
  async of(name: string, starter: LivingProcess): Promise<Entry[]> {
    const files = (await readdir(this.folder).catch(() => [])).filter((file) => file.endsWith('.json'));
    const entries = await Promise.all(files.map((file) => readEntry(join(this.folder, file))));
    return entries
      .filter((entry) => entry?.name === name && isSame(entry.starter, starter))
      .filter((entry) => entry !== null);
  }

  #fileOf(name: string): string {
    return join(this.folder, `${name}-${process.pid}.json`);
  }
}

function isSame(a: LivingProcess | null, b: LivingProcess): boolean {
  return a?.pid === b.pid && a.startTime === b.startTime;
}

/** Null when its process is gone; the file goes then, too. */
async function readEntry(file: string): Promise<Entry | null> {
  try {
    const entry = EntrySchema.parse(JSON.parse(await readFile(file, 'utf8')));
    if (await lives(entry)) return entry;
    await rm(file, { force: true });
  } catch {
    // gone this moment, or not ours
  }
  return null;
}
