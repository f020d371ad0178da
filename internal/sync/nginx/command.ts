import { spawn } from 'node:child_process';
import { printable } from '../../model/printable.ts';

const TIMEOUT_MS = 30_000;
/** Of the output of a command, the end that is told, in characters. */
const LONGEST_OUTPUT = 1_000;

interface CommandResult {
  readonly succeeded: boolean;
  /** What it wrote, or why it cannot be run; made fit for people. */
  readonly said: string;
}

/** Runs what a user has given as one line of shell. Never rejects; what takes too long is killed, with all that it has started. */
export function runCommand(line: string, timeoutMs: number = TIMEOUT_MS): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(line, { shell: true, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let isLate = false;
    const keep = (text: string) => {
      output = `${output}${text}`.slice(-LONGEST_OUTPUT);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const timer = setTimeout(() => {
      isLate = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, timeoutMs);
    const end = (succeeded: boolean, why: string) => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      const late = isLate ? `not done after ${timeoutMs / 1_000} s; ` : '';
      resolve({ succeeded, said: `${late}${printable(output.trim()) || why}` });
    };
    child.once('error', (error) => end(false, error.message));
    // What it wrote is there a moment after its end; a process that it left behind may hold the pipe for ever.
    child.once('exit', (code, signal) => {
      clearTimeout(timer); // its process group may be gone by now
      setImmediate(() =>
        setImmediate(() => end(code === 0, `it ended with ${signal ?? `code ${code}`} and said nothing`)),
      );
    });
  });
}
