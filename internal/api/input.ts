import type { Request } from 'express';
import { z } from 'zod';
import { HeimdallError } from '../model/errors.ts';
import { nearest } from '../model/nearest.ts';
import type { InputFault } from '../model/problem-view.ts';

/** A whole number in a query: decimal digits, no sign, no leading zero, no `1e3`. */
export function wholeNumberText(min: number, max: number) {
  const expected = `expected a whole number from ${min} to ${max}`;
  return z
    .string({ error: `${expected}, but it is missing` })
    .transform((text, context) => {
      const value = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
      if (value >= min && value <= max) return value;
      context.issues.push({ code: 'custom', input: text, message: `${expected}, not "${text}"` });
      return z.NEVER;
    })
    .meta({ type: 'integer', minimum: min, maximum: max }); // as it is described: to people it is no text
}

/** A number in a path. @throws {HeimdallError} INVALID_REQUEST. */
export function pathNumber(name: string, text: string): number {
  const parsed = wholeNumberText(1, Number.MAX_SAFE_INTEGER).safeParse(text);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ message }) => ({ path: `path.${name}`, message }));
  throw new HeimdallError('INVALID_REQUEST', `path.${name}: ${errors[0]?.message}.`, { errors });
}

/** A switch in a query: `true` or `1`, `false` or `0`. */
export function flag() {
  const words = ['true', 'false', '1', '0'] as const;
  return z
    .enum(words, { error: 'expected true or false' })
    .transform((text) => text === 'true' || text === '1')
    .meta({ type: 'boolean', enum: undefined });
}

/**
 * Checks the query and the body against strict schemas.
 * @throws {HeimdallError} INVALID_REQUEST that names every fault of both at once.
 */
export function checkInput<Q extends z.ZodObject, B extends z.ZodObject>(
  schemas: { readonly query: Q; readonly body: B },
  request: Request,
  body: unknown,
): { readonly query: z.output<Q>; readonly body: z.output<B> } {
  const parameters = [...new URLSearchParams(/\?(.*)/.exec(request.url)?.[1])];
  const checkedQuery = schemas.query.safeParse(Object.fromEntries(parameters));
  const checkedBody = schemas.body.safeParse(body);
  const errors = [
    ...repeated(parameters.map(([name]) => name)),
    ...inputErrors('query', 'parameter', schemas.query, checkedQuery.error),
    ...inputErrors('body', 'field', schemas.body, checkedBody.error),
  ];
  if (errors.length === 0 && checkedQuery.success && checkedBody.success) {
    return { query: checkedQuery.data, body: checkedBody.data };
  }
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new HeimdallError('INVALID_REQUEST', `${detail}.`, { errors });
}

/** Of one field, for what a schema cannot tell. @param path - as in `InputFault`. */
export function invalid(path: string, message: string): HeimdallError {
  return new HeimdallError('INVALID_REQUEST', `${path}: ${message}.`, { errors: [{ path, message }] });
}

function repeated(names: readonly string[]): InputFault[] {
  const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  return [...twice].map((name) => ({ path: `query.${name}`, message: 'given more than once' }));
}

function inputErrors(part: string, member: string, schema: z.ZodObject, error: z.ZodError | undefined): InputFault[] {
  const known = Object.keys(schema.shape);
  return (error?.issues ?? []).flatMap((issue) => {
    const path = [part, ...issue.path].map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: `${path}.${key}`, message: unknown(member, key, known) }));
    }
    const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    return [{ path, message: message.replace(/^Invalid input: /, '') }];
  });
}

function unknown(member: string, key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return `unknown ${member}${meant === undefined ? '' : ` (did you mean "${meant}"?)`}`;
}
