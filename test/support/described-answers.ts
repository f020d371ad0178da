import assert from 'node:assert/strict';
import { after } from 'node:test';
import express, { type Express, type Response } from 'express';
import type { z } from 'zod';
import { type ApiOptions, apiEndpoints, createApi } from '../../internal/api/app.ts';
import type { Answer } from '../../internal/api/description.ts';
import type { Endpoint } from '../../internal/api/endpoint.ts';
import { possibleProblems } from '../../internal/api/possible-problems.ts';
import { EventParser } from '../../internal/client/event-parser.ts';
import { ProblemViewSchema } from '../../internal/model/problem-view.ts';

/** What was answered, but is not described so; told when all tests of the file are over. */
const faults: string[] = [];
after(() => assert.deepEqual(faults, [], 'answers that are not as described'));

/** The API; each of its answers is held against its description. */
export function heldToDescription(options: ApiOptions): Express {
  const endpoints = apiEndpoints(options);
  const app = express();
  app.disable('x-powered-by');
  app.use((request, response, next) => {
    const { method, path } = request; // before routers change them
    const endpoint = endpointFor(endpoints, method, path);
    const body = bodyOf(response);
    response.once('close', () => {
      const isStream = response.get('Content-Type')?.startsWith('text/event-stream') === true; // which is left at any time
      const isCut = !response.writableFinished && !isStream;
      const isFree = method === 'HEAD' || isCut || isOfDashboard(path, response);
      const fault = isFree ? null : faultOf(endpoint, response, Buffer.concat(body).toString());
      if (fault !== null) faults.push(`${method} ${path} ${response.statusCode}: ${fault}`);
    });
    next();
  });
  app.use(createApi(options));
  return app;
}

/** The page and its files are no part of the API. */
function isOfDashboard(path: string, response: Response): boolean {
  return path.startsWith('/assets/') || response.get('Content-Security-Policy')?.includes("script-src 'self'") === true;
}

function endpointFor(endpoints: readonly Endpoint[], method: string, path: string): Endpoint | undefined {
  const fits = (pattern: string) => new RegExp(`^${pattern.replace(':id', '[^/]+')}/?$`).test(path);
  const all = endpoints.filter((each) => fits(each.path));
  const writtenOut = all.filter((each) => !each.path.includes(':')); // means itself, whatever the method
  return (writtenOut.length === 0 ? all : writtenOut).find((each) => each.method === method);
}

/** The pieces of the body, as they are written. */
function bodyOf(response: Response): Buffer[] {
  const pieces: Buffer[] = [];
  const { write, end } = response;
  const keep = (piece: unknown) => {
    if (typeof piece === 'string' || Buffer.isBuffer(piece)) pieces.push(Buffer.from(piece as string));
  };
  response.write = (...args: unknown[]) => {
    keep(args[0]);
    return write.apply(response, args as Parameters<typeof write>);
  };
  response.end = (...args: unknown[]) => {
    keep(args[0]);
    return end.apply(response, args as unknown as Parameters<typeof end>);
  };
  return pieces;
}

function faultOf(endpoint: Endpoint | undefined, response: Response, body: string): string | null {
  const type = response.get('Content-Type')?.split(';')[0] ?? '';
  if (type === 'application/problem+json') return problemFault(endpoint, JSON.parse(body));
  const answer = endpoint?.description.answers[response.statusCode];
  return answer === undefined ? 'this status is not described' : answerFault(answer, type, body);
}

function problemFault(endpoint: Endpoint | undefined, problem: { readonly code: string }): string | null {
  if (endpoint === undefined || possibleProblems(endpoint).some((code) => code === problem.code)) {
    return mismatch(ProblemViewSchema, problem);
  }
  return `the problem ${problem.code} is not described`;
}

function answerFault(answer: Answer, type: string, body: string): string | null {
  if (type === answer.mediaType) return null;
  const isEmpty = answer.schema === undefined && answer.mediaType === undefined && answer.events === undefined;
  if (isEmpty) return body === '' ? null : 'there is a body';
  if (type === 'application/json' && answer.schema !== undefined) return mismatch(answer.schema, JSON.parse(body));
  if (type !== 'text/event-stream') return `the type ${type} is not described`;
  const found = new EventParser().push(body).map(({ event, data }) => {
    const described = answer.events?.[event];
    if (described === undefined) return `the event ${event} is not described`;
    return described.schema === undefined ? null : mismatch(described.schema, JSON.parse(data));
  });
  return found.find((fault) => fault !== null) ?? null;
}

/** What is wrong with a value; members that its schema does not have, too. */
export function mismatch(schema: z.ZodType, value: unknown): string | null {
  const { data, error } = schema.safeParse(value);
  if (error !== undefined) return error.message;
  try {
    assert.deepEqual(value, data);
    return null;
  } catch (difference) {
    return `more than is described: ${String(difference)}`;
  }
}
