import { z } from 'zod';
import { duration, wholeNumber } from './units.ts';

/** Fields of a probe that say where it goes, where it ends, and what becomes of its connection (RFC 9110, 9112). */
const OWN_FIELDS = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
]);

const FieldNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_!#$%&'*+.^`|~-]+$/, 'not the name of a header field')
  .refine((name) => !OWN_FIELDS.has(name.toLowerCase()), {
    error: ({ input }) => ownField(String(input)),
  });

const HeadersSchema = z.record(
  FieldNameSchema,
  z.string().regex(/^[\t -~]*$/, 'expected one line of ASCII characters, such as "Bearer abc"'),
);

/** Flag `u`: what is not a pattern is refused rather than taken for something else. */
const PatternSchema = z
  .string()
  .min(1)
  .check((context) => {
    try {
      new RegExp(context.value, 'u').test('');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      context.issues.push({ code: 'custom', input: context.value, message });
    }
  });

/** All durations are milliseconds once parsed. */
const SettingsSchema = z.strictObject({
  type: z.enum(['http', 'https', 'tcp']).default('http'),
  /** A request target in origin form (RFC 9112, 3.2.1), as it is sent. */
  path: z
    .string()
    .regex(/^\/[!"$-~]*$/, 'expected a path such as "/health", without spaces, control characters and "#"')
    .default('/health'),
  /** The Host field of a probe, and the name that its TLS asks for; the instance's own address when absent. */
  host: z
    .string()
    .regex(/^[!-~]+$/, 'expected a host name without spaces')
    .optional(),
  /** Further fields of a probe. */
  headers: HeadersSchema.default({}),
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
  /** A regular expression (flag `u`) that must match in the first 64 KiB of the body. */
  bodyPattern: PatternSchema.optional(),
  /** Whether an `https` probe fails when nobody trusted vouches for the instance's certificate. */
  verifyCertificate: z.boolean().default(true),
  /** Whether a connection may serve several probes, one after the other. */
  reuseConnection: z.boolean().default(true),
  /** Whether requests still go to unhealthy instances when there are no healthy ones. */
  neverEmpty: z.boolean().default(true),
  /**
   * When requests that wait for an unhealthy instance are repeated on another one, where they may be: its checks cannot
   * connect to its host (`unreachable`), or are not answered in time either (`silent`).
   */
  rescue: z.enum(['never', 'unreachable', 'silent']).default('unreachable'),
});

/** What is asked for over HTTP alone must not look as if it were checked. */
export const HealthCheckSchema = SettingsSchema.check(({ value, issues }) => {
  if (value.type !== 'tcp') return;
  for (const key of ['body', 'bodyPattern'] as const) {
    if (value[key] === undefined) continue;
    const message = 'needs the type http or https: a tcp check only connects';
    issues.push({ code: 'custom', input: value[key], path: [key], message });
  }
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

function ownField(name: string): string {
  return `a probe sets ${name} by itself${name.toLowerCase() === 'host' ? '; use "host"' : ''}`;
}
