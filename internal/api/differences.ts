import { isDeepStrictEqual } from 'node:util';

/** What was and what is, of whatever is not the same any more. */
export interface Differences {
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

export function differencesOf(before: object, after: object): Differences {
  const [was, is] = [new Map<string, unknown>(Object.entries(before)), new Map<string, unknown>(Object.entries(after))];
  const keys = [...new Set([...was.keys(), ...is.keys()])].filter(
    (key) => !isDeepStrictEqual(was.get(key), is.get(key)),
  );
  const only = (from: ReadonlyMap<string, unknown>) =>
    Object.fromEntries(keys.flatMap((key) => (from.has(key) ? [[key, from.get(key)] as const] : [])));
  return { before: only(was), after: only(is) };
}
