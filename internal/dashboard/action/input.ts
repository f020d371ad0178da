/** An error that stands at what was typed. */
class InputError extends Error {
  override readonly name = 'InputError';
}

/** @throws {InputError} when it is no whole number from `min` to `max`. */
export function wholeNumberOf(text: string, label: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text.trim()) && value >= min && value <= max) return value;
  throw new InputError(`${label}: expected a whole number from ${min} to ${max}.`);
}

/**
 * Variables, one in each line: `NAME=value`. Empty lines are passed over.
 * @throws {InputError} that names the line.
 */
export function variablesOf(text: string): Record<string, string> {
  const entries = text.split('\n').flatMap((line, index): [string, string][] => {
    if (line.trim() === '') return [];
    const [, name, value] = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new InputError(`Variables, line ${index + 1}: expected NAME=value.`);
    return [[name, value]];
  });
  return Object.fromEntries(entries);
}

/** Undefined when nothing was typed. */
export function optionalText(text: string | undefined): string | undefined {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' ? undefined : trimmed;
}
