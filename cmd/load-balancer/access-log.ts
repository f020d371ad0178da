import type { Config } from '../../internal/config/schema.ts';
import type { OutputSettings } from '../../internal/proxy/access-log/access-log.ts';
import { type LineSettings, TERMINAL_FORMAT } from '../../internal/proxy/access-log/line-format.ts';

/** At these levels of the log there are no messages of the level `info`. */
const QUIETER = new Set<Config['log']['level']>(['warn', 'error', 'fatal', 'silent']);

/** Null: no lines. */
export type AccessLogChoice = { readonly lines: LineSettings; readonly output: OutputSettings } | null;

/** What the configuration wants of the access log. On standard output its lines count as messages of the level `info`. */
export function accessLogOf({ proxy: { accessLog }, log }: Pick<Config, 'proxy' | 'log'>): AccessLogChoice {
  if (accessLog === null) return null;
  const { output, rotation, format, headers } = accessLog;
  const isShown = output === 'stdout';
  if (isShown && QUIETER.has(log.level)) return null;
  const automatic = isShown && process.stdout.isTTY ? TERMINAL_FORMAT : 'json';
  return {
    lines: { format: format === 'auto' ? automatic : format, headers },
    output: { output, rotation },
  };
}
