import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { messageOf } from '../../../internal/model/errors.ts';
import { PortSchema } from '../../../internal/model/units.ts';
import { TemplateError } from '../../../internal/sync/nginx/template.ts';
import { NginxFront } from '../../../internal/sync/nginx/nginx-front.ts';
import { upstreamRenderer } from '../../../internal/sync/nginx/upstream-text.ts';
import { UsageError } from '../command-error.ts';
import { chosenServices } from './chosen-services.ts';
import type { SyncArguments } from './front-sync.ts';
import { runSync } from './run-sync.ts';

export interface SyncNginxArguments extends SyncArguments {
  readonly out: string;
  readonly service?: readonly string[];
  readonly template?: string;
  readonly test: string;
  readonly reload: string;
  readonly pidFile?: string;
  readonly lastResort?: string;
}

/** `heimdall sync nginx`. @throws {UsageError} */
export async function syncNginx(given: SyncNginxArguments): Promise<void> {
  const front = await NginxFront.open({
    file: resolve(given.out),
    render: await rendererOf(given),
    testCommand: given.test,
    reloadCommand: given.reload,
    pidFile: given.pidFile === undefined ? null : resolve(given.pidFile),
  });
  await runSync(given, front, chosenServices(given.service ?? null));
}

async function rendererOf({ template: file, lastResort: port }: SyncNginxArguments) {
  const lastResort = port === undefined ? null : `127.0.0.1:${portOf(port)}`;
  if (file === undefined) return upstreamRenderer(null, lastResort);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--template ${file}: ${messageOf(error)}`);
  });
  try {
    return upstreamRenderer(text, lastResort);
  } catch (error) {
    throw error instanceof TemplateError ? new UsageError(`--template ${file}, ${error.message}`) : error;
  }
}

function portOf(text: string): number {
  const port = PortSchema.safeParse(/^\d+$/.test(text) ? Number(text) : NaN);
  if (port.success) return port.data;
  throw new UsageError(`--last-resort ${JSON.stringify(text)}: expected a port that nothing listens on, such as 8099`);
}
