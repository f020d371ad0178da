import assert from 'node:assert/strict';
import type { z } from 'zod';

export function isAccepted(schema: z.ZodType, value: unknown): boolean {
  return schema.safeParse(value).success;
}

/** The schema accepts all of `good` and nothing of `bad`. */
export function assertSorted(schema: z.ZodType, good: readonly unknown[], bad: readonly unknown[]): void {
  for (const value of good) assert.ok(isAccepted(schema, value), `refuses ${JSON.stringify(value)}`);
  for (const value of bad) assert.ok(!isAccepted(schema, value), `accepts ${JSON.stringify(value)}`);
}
