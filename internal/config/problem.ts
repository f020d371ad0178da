/** Keys whose values, and everything below them, stay out of messages. */
const SECRET_KEY = /token|secret|pass|auth|credential|url|endpoint|headers|^env$/i;
const LONGEST_VALUE = 60;

/** Where something stands in the configuration: keys and array positions. */
export type Path = readonly PropertyKey[];

/** One thing that is wrong, ready to be shown. */
export interface ConfigProblem {
  /** `services[0].healthCheck.interval`, the name of an environment variable, or empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** The offending value as short JSON; absent when there is none or it may be a secret. */
  readonly value?: string;
  readonly source: 'file' | 'environment';
}

/** What works, and is likely not what is wanted. */
export interface ConfigWarning {
  /** As in `ConfigProblem`. */
  readonly path: string;
  readonly message: string;
}

/** The configuration cannot be used. Carries every problem that was found, not just the first. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly ConfigProblem[];
  /** The file that was read; null when the problems are in the environment alone. */
  readonly file: string | null;

  constructor(problems: readonly ConfigProblem[], file: string | null) {
    const title = `${file ?? 'the configuration'} has ${problems.length} problem${problems.length === 1 ? '' : 's'}:`;
    super([title, ...problems.map((problem) => `  ${describe(problem)}`)].join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
    this.file = file;
  }
}

/** `services[0].env["a b"]` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${text}[${JSON.stringify(name)}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** What stands at `path` in a JSON value; undefined when nothing does. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}

/** The value as short JSON, or undefined when it is absent or may be a secret. */
export function renderValue(value: unknown, path: Path): string | undefined {
  if (value === undefined || path.some(isSecret)) return undefined;
  const json = JSON.stringify(value, (key, inner: unknown) => (isSecret(key) ? '[hidden]' : inner));
  return json.length <= LONGEST_VALUE ? json : `${json.slice(0, LONGEST_VALUE - 1)}…`;
}

/** Whether it is what JSON has in braces. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSecret(key: PropertyKey): boolean {
  return typeof key === 'string' && SECRET_KEY.test(key);
}

function describe({ path, message, value }: ConfigProblem): string {
  const shown = value === undefined ? '' : ` (value: ${value})`;
  return path === '' ? message : `${path}: ${message}${shown}`;
}
