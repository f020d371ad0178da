import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { readBody } from './body.ts';
import type { Description } from './description.ts';
import { checkInput } from './input.ts';

/** One method on one path. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly description: Description;
  readonly handle: RequestHandler;
}

/** The schema of a query or a body that may hold nothing. */
export const Nothing = z.strictObject({});
/** Of an endpoint that takes neither. */
export const NoInput = { query: Nothing, body: Nothing };

/** An endpoint whose handler sees checked input only; `id` is the `:id` of its path. The body is read for POST and PATCH; what another method carries is ignored. */
export function endpoint<Q extends z.ZodObject, B extends z.ZodObject>(
  method: Endpoint['method'],
  path: string,
  description: Description<Q, B>,
  answer: (
    input: { readonly query: z.output<Q>; readonly body: z.output<B>; readonly id: string },
    response: Response,
  ) => Promise<void>,
): Endpoint {
  return {
    method,
    path,
    description,
    handle: async (request, response) => {
      const carried = method === 'POST' || method === 'PATCH' ? await readBody(request, response) : {};
      const { query, body } = checkInput(description, request, carried);
      const { id } = request.params;
      await answer({ query, body, id: typeof id === 'string' ? id : '' }, response);
    },
  };
}
