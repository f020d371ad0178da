import { z } from 'zod';
import { PortSchema } from '../model/units.ts';
import { faultsOf } from './issues.ts';
import { substitute } from './placeholders.ts';
import { type ConfigProblem, formatPath, isRecord, type Path, renderValue, valueAt } from './problem.ts';
import { LogLevelSchema, PortsSchema, TokenSchema } from './schema.ts';

const MAX_PORT = 65_535;

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
