import type { Request, Response } from 'express';
import { z } from 'zod';
import { parseBody } from './body.ts';
import type { Deed } from './deed.ts';
import type { Description } from './description.ts';
import { checkInput } from './input.ts';

/** One request for an endpoint. */
interface Call {
  /** Of its body; of POST and PATCH alone. */
  readonly bytes: Buffer;
  /** What it changes. */
  readonly deed: Deed;
}

/** One method on one path. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly description: Description;
  readonly handle: (request: Request, response: Response, call: Call) => Promise<void>;
}

/** The schema of a query or a body that may hold nothing. */
export const Nothing = z.strictObject({});
/** Of an endpoint that takes neither. */
export const NoInput = { query: Nothing, body: Nothing };

/** An endpoint whose handler sees checked input only; `id` is the `:id` of its path. What another method than POST and PATCH carries is ignored. */
export function endpoint<Q extends z.ZodObject, B extends z.ZodObject>(
  method: Endpoint['method'],
  path: string,
  description: Description<Q, B>,
  answer: (
    input: { readonly query: z.output<Q>; readonly body: z.output<B>; readonly id: string; readonly deed: Deed },
    response: Response,
  ) => Promise<void>,
): Endpoint {
  return {
    method,
    path,
    description,
    handle: async (request, response, { bytes, deed }) => {
      const carried = signed(parseBody(request, bytes), description.body, deed);
      const { query, body } = checkInput(description, request, carried);
      const { id } = request.params;
      await answer({ query, body, id: typeof id === 'string' ? id : '', deed }, response);
    },
  };
}

/** A body that may say who asks for it, and does not, is by whoever the head names; and the other way round. */
function signed(body: unknown, schema: z.ZodObject, deed: Deed): unknown {
  if (!('by' in schema.shape) || typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  if ('by' in body) {
    if (typeof body.by === 'string') deed.namedBy(body.by);
    return body;
  }
  return deed.actor === null ? body : { ...body, by: deed.actor };
}
