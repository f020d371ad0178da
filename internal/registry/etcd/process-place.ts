import { readFile, readlink } from 'node:fs/promises';

/**
 * Where the numbers of processes mean the same: one boot of one machine, and one namespace of it. Empty where that cannot be
 * told; then it is no other process's place, either.
 */
export async function processPlace(): Promise<string> {
  try {
    const [boot, namespace] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
    ]);
    return `${boot.trim()} ${namespace}`;
  } catch {
    return '';
  }
}

/** Whether a process is known to have ended. @param place - where it ran; @param here - where this one runs. */
export function hasEnded(pid: number, place: string, here: string): boolean {
  if (here === '' || place !== here) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
