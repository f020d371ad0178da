import { z } from 'zod';
import { duration, wholeNumber } from './units.ts';

/** All durations are milliseconds once parsed. */
export const HealthCheckSchema = z.strictObject({
  type: z.enum(['http', 'tcp']).default('http'),
  /** A request target in origin form (RFC 9112, 3.2.1), as it is sent. */
  path: z
    .string()
    .regex(/^\/[!"$-~]*$/, 'expected a path such as "/health", without spaces, control characters and "#"')
    .default('/health'),
  /** The Host field of a probe; the instance's own address when absent. */
  host: z
    .string()
    .regex(/^[!-~]+$/, 'expected a host name without spaces')
    .optional(),
  interval: duration().prefault('1s'),
  timeout: duration().prefault('500ms'),
  rise: wholeNumber(1, 100).default(2),
  fall: wholeNumber(1, 100).default(3),
  /** Statuses that pass: `200` or `"200-299"`. */
  expect: z
    .array(z.union([z.int().min(100).max(599), StatusRange()]))
    .min(1)
    .prefault(['200-399']),
  /** Text that the first 64 KiB of the body must contain. */
  body: z.string().min(1).optional(),
});
export type HealthCheck = z.infer<typeof HealthCheckSchema>;

/** `"200-399"`, parsed to `{ from, to }`, both included. */
function StatusRange() {
  return z.string().transform((text, context) => {
    const match = /^([1-5]\d\d)-([1-5]\d\d)$/.exec(text);
    const [from, to] = [Number(match?.[1]), Number(match?.[2])];
    if (match && from <= to) return { from, to };
    context.issues.push({ code: 'custom', input: text, message: 'expected a status range such as "200-299"' });
    return z.NEVER;
  });
}
