import type { Request, Response } from 'express';
import type { ErrorCode, ErrorContext } from '../model/errors.ts';
import { sendJson } from './respond.ts';

/** Faults that only HTTP knows. */
type HttpCode = 'METHOD_NOT_ALLOWED' | 'NO_ALERT_CHANNEL' | 'INTERNAL';
export type ProblemCode = ErrorCode | HttpCode;

export const HTTP_STATUS = {
  INVALID_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  INSTANCE_NOT_FOUND: 404,
  SERVICE_NOT_FOUND: 404,
  DEPLOYMENT_NOT_FOUND: 404,
  ALERT_NOT_FOUND: 404,
  SILENCE_NOT_FOUND: 404,
  CHANNEL_NOT_FOUND: 404,
  NODE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  DEPLOYMENT_RUNNING: 409,
  RELOAD_RUNNING: 409,
  PORT_TAKEN: 409,
  LIFECYCLE_CONFLICT: 409,
  NOT_SPAWNED: 409,
  AGENTS_REFUSED: 409,
  AMBIGUOUS_PORT: 409,
  NODE_UNREACHABLE: 409,
  NODE_PRESENT: 409,
  MANAGER_RUNNING: 409,
  REQUEST_UNDER_WAY: 409,
  OUTCOME_UNKNOWN: 409,
  NO_ALERT_CHANNEL: 409,
  PRECONDITION_FAILED: 412,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_KEY_REUSED: 422,
  INTERNAL: 500,
  ADDRESS_UNUSABLE: 500,
  CAPACITY_EXCEEDED: 503,
  TOO_MANY_VIEWERS: 503,
  REGISTRY_BROKEN: 500,
  COMMAND_FAILED: 502,
  INSTANCE_EXITED: 502,
  DEPLOYMENT_FAILED: 502,
  RELOAD_FAILED: 502,
  NODE_FAILED: 502,
  NO_FREE_PORT: 503,
  NODE_AWAY: 503,
  REGISTRY_UNAVAILABLE: 503,
  SHUTTING_DOWN: 503,
  INSTANCE_NOT_READY: 504,
  NODE_LOOP: 508,
} as const satisfies Record<ProblemCode, number>;

/** Whether it is a code of ours that more than HTTP knows. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(HTTP_STATUS, code) && !HTTP_ONLY.has(code);
}

const HTTP_ONLY: ReadonlySet<string> = new Set<HttpCode>(['METHOD_NOT_ALLOWED', 'NO_ALERT_CHANNEL', 'INTERNAL']);

/** Seconds for `Retry-After`: a released port is quarantined for 30 s; most of the others pass sooner. */
const RETRY_AFTER_S: Partial<Record<ProblemCode, number>> = {
  NO_FREE_PORT: 30,
  REGISTRY_UNAVAILABLE: 2,
  SHUTTING_DOWN: 5,
  REQUEST_UNDER_WAY: 2,
  TOO_MANY_VIEWERS: 30,
  NODE_AWAY: 5,
};

/**
 * Answers with an RFC 9457 problem. `type` is `urn:heimdall:error:` and the code in lower case with dashes; every entry of
 * `context` becomes a member of the problem, unless it has the name of a standard one.
 */
export function sendProblem(
  request: Request,
  response: Response,
  code: ProblemCode,
  detail: string,
  context: ErrorContext = {},
): void {
  const words = code.toLowerCase().split('_');
  const title = words.join(' ');
  const retryAfter = RETRY_AFTER_S[code];
  if (code === 'PRECONDITION_FAILED') response.set('ETag', String(context['etag']));
  if (retryAfter !== undefined) response.set('Retry-After', String(retryAfter));
  const standard = {
    type: `urn:heimdall:error:${words.join('-')}`,
    title: title.charAt(0).toUpperCase() + title.slice(1),
    status: HTTP_STATUS[code],
    detail,
    code,
    instance: request.path,
  };
  response.status(HTTP_STATUS[code]).type('application/problem+json');
  sendJson(response, { ...standard, ...context, ...standard }); // standard members first, and never replaced
}
