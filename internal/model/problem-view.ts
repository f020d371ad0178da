import { z } from 'zod';

/** One fault of the input: `path` is `query.port`, `body.env.A`, … */
const InputFaultSchema = z.object({ path: z.string(), message: z.string() });
export type InputFault = Readonly<z.infer<typeof InputFaultSchema>>;

/** Why a request failed (RFC 9457); other members tell what a person can use to mend it. */
export const ProblemViewSchema = z.looseObject({
  /** `urn:heimdall:error:` and the code in lower case with dashes. */
  type: z.string(),
  title: z.string(),
  /** As the status of the answer. */
  status: z.int(),
  /** What was wrong, where, and what to do. */
  detail: z.string(),
  /** Stable, such as `INSTANCE_NOT_FOUND`. */
  code: z.string(),
  /** The path that was asked for. */
  instance: z.string(),
  /** Every fault of the input, when that is what failed. */
  errors: z.array(InputFaultSchema).exactOptional(),
  /** The last lines of an instance that did not get ready. */
  logTail: z.array(z.string()).exactOptional(),
});
export type ProblemView = Readonly<z.infer<typeof ProblemViewSchema>>;
