import { type ConfigProblem, formatPath, isRecord, type Path } from './problem.ts';

const PLACEHOLDER = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

export interface Substitution {
  readonly env: NodeJS.ProcessEnv;
  /** Formatted path → the variable whose value stands there: added to; what is in it already stays as it is. */
  readonly origins: Map<string, string>;
  /** Places that name a variable which is not set: added to. */
  readonly problems: ConfigProblem[];
}

/** Replaces every string that is wholly `"${NAME}"`, except where an override stands. */
export function substitute(value: unknown, path: Path, context: Substitution): unknown {
  if (Array.isArray(value)) return value.map((inner, index) => substitute(inner, [...path, index], context));
  if (isRecord(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, inner]) => [key, substitute(inner, [...path, key], context)]));
  }
  const name = typeof value === 'string' ? PLACEHOLDER.exec(value)?.[1] : undefined;
  const place = formatPath(path);
  if (name === undefined || context.origins.has(place)) return value;
  const replacement = context.env[name];
  if (replacement === undefined) {
    const message = `the environment variable ${name} is not set`;
    context.problems.push({ path: place, message, source: 'environment' });
    return value;
  }
  context.origins.set(place, name);
  return replacement;
}
