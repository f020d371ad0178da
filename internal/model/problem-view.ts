import { z } from 'zod';
import type { Told } from './told.ts';

/** One fault of the input: `path` is `query.port`, `body.env.A`, … */
const InputFaultSchema = z.object({ path: z.string(), message: z.string() });
export type InputFault = Told<z.infer<typeof InputFaultSchema>>;

/** Why a request failed (RFC 9457); other members tell what a person can use to mend it. */
export const ProblemViewSchema = z
  .looseObject({
    type: z.string().describe('`urn:heimdall:error:` and the code in lower case with dashes.'),
    title: z.string(),
    status: z.int().describe('As the status of the answer.'),
    detail: z.string().describe('What was wrong, where, and what to do.'),
    code: z.string().describe('Stable, such as `INSTANCE_NOT_FOUND`.'),
    instance: z.string().describe('The path that was asked for.'),
    errors: z.array(InputFaultSchema).exactOptional().describe('Every fault of the input, when that is what failed.'),
    logTail: z.array(z.string()).exactOptional().describe('The last lines of an instance that did not get ready.'),
  })
  .meta({ id: 'Problem' });
export type ProblemView = Told<z.infer<typeof ProblemViewSchema>>;
