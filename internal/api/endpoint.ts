import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { readBody } from './body.ts';
import { checkInput } from './input.ts';

/** One method on one path. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly handle: RequestHandler;
}

/** The schema of a query or a body that may hold nothing. */
export const Nothing = z.strictObject({});

/** An endpoint whose handler sees checked input only; `id` is the `:id` of its path. The body is read for POST and PATCH; what another method carries is ignored. */
export function endpoint<Q extends z.ZodObject, B extends z.ZodObject>(
  method: Endpoint['method'],
  path: string,
  schemas: { readonly query: Q; readonly body: B },
  answer: (
    input: { readonly query: z.output<Q>; readonly body: z.output<B>; readonly id: string },
    response: Response,
  ) => Promise<void>,
): Endpoint {
  return {
    method,
    path,
    handle: async (request, response) => {
      const body = method === 'POST' || method === 'PATCH' ? await readBody(request, response) : {};
      const { id } = request.params;
      await answer({ ...checkInput(schemas, request, body), id: typeof id === 'string' ? id : '' }, response);
    },
  };
}
