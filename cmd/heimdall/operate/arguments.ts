import { UsageError } from '../command-error.ts';

/** A whole number on the command line. @throws {UsageError} that names it. @param name - such as `--count`. */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${name}: expected a whole number from ${least} to ${most}, not "${text}"`);
}

/** The same; undefined stays undefined. */
export function optionalNumber(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  return text === undefined ? undefined : wholeNumber(name, text, least, most);
}

/** The word that gives a setting back to the configuration. */
const AS_CONFIGURED = 'default';

/** A number, or null for `default`. */
export function numberOrDefault(name: string, text: string, least: number, most: number): number | null {
  if (text === AS_CONFIGURED) return null;
  if (/^\d+$/.test(text)) return wholeNumber(name, text, least, most);
  throw new UsageError(
    `${name}: expected a whole number from ${least} to ${most} or "${AS_CONFIGURED}", not "${text}"`,
  );
}

/** Variables as they are given: `NAME=value`. Undefined when there are none. @throws {UsageError} */
export function variables(given: readonly string[] | undefined): Readonly<Record<string, string>> | undefined {
  return given && Object.fromEntries(given.map(variable));
}

function variable(text: string): readonly [name: string, value: string] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new UsageError(`--env: expected NAME=value, not "${text}"`);
}
