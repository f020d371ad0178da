import type { Request, RequestHandler, Response } from 'express';
import { SIGNATURE_FIELD, SignatureJudge } from '../../pkg/http-guard/signature.ts';
import { HeimdallError } from '../model/errors.ts';
import type { RefusalLog } from './refusal-log.ts';

/** For requests that may be signed with the token instead of carrying it. */
export class SignatureGuard {
  readonly #token: () => string | undefined;
  readonly #refusals: RefusalLog;
  readonly #judge = new SignatureJudge();

  /** @param token - that every call needs now; undefined: none. */
  constructor(token: () => string | undefined, refusals: RefusalLog) {
    this.#token = token;
    this.#refusals = refusals;
  }

  /** What stands before the body is read; one that is signed has to pass `check` when it is. */
  before(signed: RequestHandler, others: RequestHandler): RequestHandler {
    return (request, response, next) => (isSigned(request) ? signed : others)(request, response, next);
  }

  /** Lets through what is not signed: that has passed the other guard. @throws {HeimdallError} UNAUTHORIZED. */
  check(request: Request, response: Response, body: Buffer): void {
    const token = this.#token();
    const field = request.get(SIGNATURE_FIELD);
    if (field === undefined || token === undefined) return;
    const { method, originalUrl: target } = request;
    const refusal = this.#judge.refusalOf(field, { method, target, body }, token);
    if (refusal === null) return;
    this.#refusals.tell(request, refusal.kind);
    response.set('WWW-Authenticate', 'Bearer realm="heimdall"'); // which every 401 needs (RFC 9110, 15.5.2)
    throw new HeimdallError('UNAUTHORIZED', refusal.detail);
  }
}

function isSigned(request: Request): boolean {
  return request.get(SIGNATURE_FIELD) !== undefined;
}
