import { readFileSync, statSync } from 'node:fs';
import type { Logger } from '../../pkg/logger/logger.ts';

/** Every thread keeps it, and every browser that waited in vain gets it. */
const MAX_BYTES = 1024 * 1024;

/** The HTML file at an absolute path; null when it cannot be used, which is logged: a service need not fail for it. */
export function readHoldPage(path: string, service: string, log: Logger): string | null {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new Error('it is not a file');
    if (stat.size > MAX_BYTES) throw new Error(`it has ${stat.size} bytes, more than ${MAX_BYTES}`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    log.warn({ err: error, service, path }, 'hold.page cannot be used; browsers get a plain answer instead');
    return null;
  }
}
