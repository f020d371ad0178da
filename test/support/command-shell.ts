import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { COMPILE_CACHE } from './e2e-process.ts';

const ResultSchema = z.object({ code: z.int(), stdout: z.string(), stderr: z.string() });
export type CommandResult = z.infer<typeof ResultSchema>;

/**
 * Runs commands of heimdall one after the other in one process that is not a terminal: each in one of its own would spend most of
 * its time on starting. What ends its process, as wrong usage does, cannot be run here.
 */
export class CommandShell implements AsyncDisposable {
  readonly #child;

  /** @param cwd - where `config.json` is. */
  constructor(cwd: string) {
    this.#child = fork(join(import.meta.dirname, 'command-shell-child.ts'), {
      cwd,
      env: { PATH: process.env['PATH'], HOME: cwd, ...COMPILE_CACHE },
    });
  }

  async run(...args: readonly string[]): Promise<CommandResult> {
    const answered = once(this.#child, 'message');
    this.#child.send(args);
    const [result] = await answered;
    return ResultSchema.parse(result);
  }

  /** The JSON that a command prints with `--json`. @throws when its exit code is another one. */
  async json<S extends z.ZodType>(schema: S, ...args: readonly string[]): Promise<z.output<S>> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
    return schema.parse(JSON.parse(stdout));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}
