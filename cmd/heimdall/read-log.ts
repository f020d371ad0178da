import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { messageOf } from '../../internal/model/errors.ts';
import { LogReader } from '../../internal/simulation/recording.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-codes.ts';

/**
 * Reads an access log line by line, however long it is.
 * @param service - whose requests are kept; null: of all services.
 * @throws {CommandError} that names the file, when it cannot be read.
 */
export async function readLog(file: string, service: string | null): Promise<LogReader> {
  const reader = new LogReader(service);
  const stream = createReadStream(file, 'utf8');
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      reader.add(line);
      if (reader.isFull) break;
    }
  } catch (error) {
    throw new CommandError(EXIT.failed, `cannot read the log: ${messageOf(error)}`);
  } finally {
    stream.destroy();
  }
  return reader;
}
