import { z } from 'zod';
import { nearest } from '../model/nearest.ts';
import { type Path, valueAt } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** Keys of earlier versions, and what took their place. */
const REPLACED: ReadonlyMap<string, string> = new Map([['requestLog', 'accessLog']]);

/** Something wrong at a place of the configuration, before anyone asked where the value there came from. */
export interface Fault {
  readonly path: Path;
  readonly message: string;
  /** For an unknown key: it may be a misspelt secret. */
  readonly hideValue?: true;
}

/** Translates what zod found wrong with `input`: one fault per unknown key, and of a union only the form that was meant. */
export function faultsOf(issues: readonly Issue[], schema: z.core.$ZodType, input: unknown): Fault[] {
  return issues.flatMap((issue): Fault[] => {
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(schema, issue.path);
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        message: unknownKey(key, known),
        hideValue: true,
      }));
    }
    if (issue.code === 'invalid_union') {
      const meant = issue.errors.filter((branch) => !branch.some(isOtherType));
      const [only] = meant.length === 1 ? meant : [];
      if (only)
        return faultsOf(
          only.map((inner) => within(inner, issue.path)),
          schema,
          input,
        );
    }
    return [{ path: issue.path, message: messageFor(issue, valueAt(input, issue.path)) }];
  });
}

/** The value is not even of the kind that this form of a union begins with. */
function isOtherType(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function within(issue: Issue, path: PropertyKey[]): Issue {
  return { ...issue, path: [...path, ...issue.path] };
}

function messageFor(issue: Issue, value: unknown): string {
  if (issue.code === 'invalid_type' && value === undefined) return 'is required';
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => message).join(', ');
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input') {
    return issue.errors.flatMap((branch) => branch.map((inner) => messageFor(inner, value))).join(', or ');
  }
  return issue.message.replace(/^(?:Invalid \w+|Too small|Too big): /, '');
}

function unknownKey(key: string, known: readonly string[]): string {
  const successor = REPLACED.get(key);
  if (successor !== undefined && known.includes(successor))
    return `unknown key ${JSON.stringify(key)}; ${JSON.stringify(successor)} has taken its place`;
  const meant = nearest(key, known);
  return `unknown key ${JSON.stringify(key)}${meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`}`;
}

/** The keys that an object at this place of the schema may have. */
function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  if (schema instanceof z.ZodObject) {
    const [key, ...rest] = path;
    return key === undefined ? Object.keys(schema.shape) : keysAt(schema.shape[String(key)], rest);
  }
  if (schema instanceof z.ZodArray) return keysAt(schema.element, path.slice(1));
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  if (schema instanceof z.ZodPipe) return keysAt(schema.in, path);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return keysAt(schema.unwrap(), path);
  return [];
}
