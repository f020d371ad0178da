/** What a schema makes of it, read-only all the way down: what was told is not changed by who got it. */
export type Told<T> = T extends readonly (infer E)[]
  ? readonly Told<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Told<T[K]> }
    : T;
