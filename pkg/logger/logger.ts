import { type DestinationStream, type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Wherever such a key stands in a logged object, up to two levels deep, its value is replaced. */
const SECRET_KEYS = ['token', 'secret', 'password', 'pass', 'authorization', 'cookie', '["set-cookie"]'];
const REDACTED = SECRET_KEYS.flatMap((key) =>
  key.startsWith('[') ? [key, `*${key}`, `*.*${key}`] : [key, `*.${key}`, `*.*.${key}`],
);

export interface LoggerOptions {
  readonly name: string;
  readonly level: LogLevel;
  /** Default: pretty when standard output is a terminal, JSON lines otherwise. */
  readonly pretty?: boolean;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
}

/** The root logger of a process; every subsystem takes a child of it: `logger.child({ subsystem: 'drain' })`. */
export function createLogger(options: LoggerOptions): Logger {
  const pretty = options.pretty ?? process.stdout.isTTY === true;
  const destination = options.destination ?? pino.destination({ fd: 1, sync: true });
  const stream = pretty
    ? PinoPretty({
        destination,
        colorize: process.stdout.hasColors?.() ?? false,
        ignore: 'pid,hostname',
        translateTime: 'SYS:HH:MM:ss.l',
      })
    : destination;
  return pino({ name: options.name, level: options.level, redact: { paths: REDACTED, censor: '[redacted]' } }, stream);
}
