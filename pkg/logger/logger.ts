import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino } from 'pino';
import type * as Pretty from 'pino-pretty';
import { LogOutput } from './log-output.ts';
import { REDACTED, SECRET_KEYS, withoutSecrets } from './redact.ts';
import { standardOutput } from './standard-output.ts';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  readonly name: string;
  readonly level: LogLevel;
  /** Default: pretty when standard output is a terminal, JSON lines otherwise. */
  readonly pretty?: boolean;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
}

const UNREAD = 'lines of this log were dropped while nobody read it, or the disk was full';

/** Loaded for a terminal alone: it takes longer than the logger itself. */
function prettyStream(destination: DestinationStream): DestinationStream {
  const { prettyFactory }: typeof Pretty = createRequire(import.meta.url)('pino-pretty');
  const pretty = prettyFactory({
    colorize: process.stdout.hasColors?.() ?? false,
    ignore: 'pid,hostname,subsystem,event',
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return { write: (line) => destination.write(pretty(line)) };
}

/** The root logger of a process; every subsystem takes a child of it: `logger.child({ subsystem: 'drain' })`. */
export function createLogger(options: LoggerOptions): Logger {
  const pretty = options.pretty ?? process.stdout.isTTY;
  const destination =
    options.destination ?? new LogOutput(standardOutput(), (dropped) => log.warn({ dropped }, UNREAD));
  const { name, level } = options;
  const log = pino(
    {
      name,
      level,
      formatters: { log: withoutSecrets },
      serializers: { err: serializeError },
      // What a child logger is bound to does not pass through the formatter.
      redact: { paths: SECRET_KEYS.map((key) => `["${key}"]`), censor: REDACTED },
    },
    pretty ? prettyStream(destination) : destination,
  );
  return log;
}

/** Anything can be thrown. */
function serializeError(error: unknown): unknown {
  return error instanceof Error ? withoutSecrets({ ...pino.stdSerializers.err(error) }) : error;
}
