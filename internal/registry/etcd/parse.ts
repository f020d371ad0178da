import type { z } from 'zod';
import { brokenKey } from './faults.ts';
import type { Entry } from './store.ts';

/** How the values of some keys look. Each is parsed once, however often it is read. */
export class Form<T> {
  readonly #schema: z.ZodType<T>;
  readonly #parsed = new WeakMap<Entry, { readonly value: T }>();

  constructor(schema: z.ZodType<T>) {
    this.#schema = schema;
  }

  /** @throws {HeimdallError} REGISTRY_BROKEN naming the key and the field. */
  read(entry: Entry): T {
    const known = this.#parsed.get(entry);
    if (known !== undefined) return known.value;
    const value = parse(this.#schema, entry);
    this.#parsed.set(entry, { value });
    return value;
  }
}

/** The value of an entry. @throws {HeimdallError} REGISTRY_BROKEN naming the key and the field. */
export function valueOf<T>(form: Form<T>, entry: Entry): T {
  return form.read(entry);
}

/** Undefined when it is not valid: for what is not worth a fault. */
export function valueIfValid<T>(form: Form<T>, entry: Entry): T | undefined {
  try {
    return form.read(entry);
  } catch {
    return undefined;
  }
}

function parse<T>(schema: z.ZodType<T>, { prefix, name, value }: Entry): T {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    throw brokenKey(prefix + name, 'not JSON');
  }
  const { data, error } = schema.safeParse(json);
  if (error === undefined) return data;
  throw brokenKey(prefix + name, error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}
