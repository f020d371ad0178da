import { z } from 'zod';
import { PortSchema } from '../model/units.ts';
import { faultsOf } from './issues.ts';
import { type ConfigProblem, formatPath, type Path, renderValue, valueAt } from './problem.ts';
import { LogLevelSchema, PortsSchema, TokenSchema } from './schema.ts';

const MAX_PORT = 65_535;
const PLACEHOLDER = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

const PORT_EXPECTED = `expected a port from 1 to ${MAX_PORT}`;
const PortVariable = z
  .string()
  .regex(/^\d{1,5}$/, PORT_EXPECTED)
  .transform(Number)
  .refine((port) => PortSchema.safeParse(port).success, PORT_EXPECTED);

interface Override {
  readonly variable: string;
  readonly path: Path;
  readonly schema: z.ZodType<string | number>;
}

const OVERRIDES: readonly Override[] = [
  { variable: 'MANAGER_PORT', path: ['manager', 'port'], schema: PortVariable },
  { variable: 'BASE_PORT', path: ['ports', 'from'], schema: PortVariable },
  { variable: 'LOAD_BALANCER_PORT', path: ['proxy', 'port'], schema: PortVariable },
  { variable: 'HEIMDALL_TOKEN', path: ['manager', 'token'], schema: TokenSchema },
  { variable: 'LOG_LEVEL', path: ['log', 'level'], schema: z.string().toLowerCase().pipe(LogLevelSchema) },
];

/** The raw configuration together with what the environment put into it. */
export interface Overlaid {
  /** What the file says, with the overrides in their places; placeholders still stand. For messages. */
  readonly written: unknown;
  /** The same with every `"${NAME}"` replaced. To be checked. */
  readonly effective: unknown;
  /** Formatted path → the variable whose value stands there. */
  readonly origins: ReadonlyMap<string, string>;
  /** Variables that overrode the file, in a fixed order. */
  readonly overrides: readonly string[];
  /** Variables with unusable values, and places that name a variable which is not set. */
  readonly problems: readonly ConfigProblem[];
}

/** Applies the environment to a raw configuration: overrides first, then placeholders, which overrides may have replaced. */
export function overlay(file: unknown, env: NodeJS.ProcessEnv): Overlaid {
  const origins = new Map<string, string>();
  const overrides: string[] = [];
  const problems: ConfigProblem[] = [];
  let written = file;
  for (const { variable, path, schema } of OVERRIDES) {
    const text = env[variable];
    if (text === undefined) continue;
    const parsed = schema.safeParse(text);
    if (!parsed.success) {
      const [fault] = faultsOf(parsed.error.issues, schema, text);
      const value = renderValue(text, [variable]);
      problems.push({
        path: variable,
        message: fault?.message ?? 'not valid',
        ...(value === undefined ? {} : { value }),
        source: 'environment',
      });
      continue;
    }
    if (variable === 'BASE_PORT') written = shiftEnd(written, Number(parsed.data));
    written = withValue(written, path, parsed.data);
    origins.set(formatPath(path), variable);
    overrides.push(variable);
  }
  const effective = substitute(written, [], { env, origins, problems });
  return { written, effective, origins, overrides, problems };
}

/** Moves the end of the port range along with its start, so that as many ports as before remain, as far as there are any. */
function shiftEnd(raw: unknown, from: number): unknown {
  const ports = PortsSchema.safeParse(valueAt(raw, ['ports']) ?? {});
  if (!ports.success) return raw;
  return withValue(raw, ['ports', 'to'], Math.min(MAX_PORT, from + ports.data.to - ports.data.from));
}

/** A copy with `value` at `path`; the same value when something on the way is no object, which the schema will report. */
function withValue(raw: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  if (raw !== undefined && !isRecord(raw)) return raw;
  return { ...raw, [key]: withValue(raw?.[String(key)], rest, value) };
}

interface Substitution {
  readonly env: NodeJS.ProcessEnv;
  readonly origins: Map<string, string>;
  readonly problems: ConfigProblem[];
}

/** Replaces every string that is wholly `"${NAME}"`, except where an override stands. */
function substitute(value: unknown, path: Path, context: Substitution): unknown {
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
