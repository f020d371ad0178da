import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { HeimdallError } from '../model/errors.ts';
import type { ClaimedRequest, KeptAnswer, RequestClaim } from '../registry/request-keys.ts';
import { invalid } from './input.ts';

const KEPT_FIELDS = ['Content-Type', 'Location', 'ETag'];
const KEY_EXPECTED = 'expected 1 to 255 printable ASCII characters, with or without double quotes around them';

/**
 * The claim of a request that carries an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07); null when it has none.
 * @param bytes - of its body.
 * @param token - that is asked for; whoever has another one has other keys.
 * @throws {HeimdallError} INVALID_REQUEST.
 */
export function claimOf(request: Request, bytes: Buffer, token: string | undefined): RequestClaim | null {
  const [value, another] = request.headersDistinct['idempotency-key'] ?? [];
  if (value === undefined) return null;
  const key = /^"(.*)"$/.exec(value)?.[1] ?? value;
  if (another !== undefined || !/^[\x20-\x7e]{1,255}$/.test(key)) throw invalid('header.Idempotency-Key', KEY_EXPECTED);
  const { method, originalUrl } = request;
  return {
    owner: token === undefined ? '' : createHash('sha256').update(token).digest('base64url'),
    key,
    fingerprint: createHash('sha256').update(`${method} ${originalUrl}\n`).update(bytes).digest('base64url'),
  };
}

/** What there is to keep of an answer that is about to be sent. */
export function keptAnswer(response: Response, body: string): KeptAnswer {
  const fields = KEPT_FIELDS.flatMap((name) => {
    const value = response.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { status: response.statusCode, fields: Object.fromEntries(fields), body };
}

/**
 * Gives the answer again that the request had.
 * @throws {HeimdallError} IDEMPOTENCY_KEY_REUSED; REQUEST_UNDER_WAY; OUTCOME_UNKNOWN when the manager ended, or lost its registry, before it was done.
 */
export function replay({ fingerprint, answer, isOurs }: ClaimedRequest, claim: RequestClaim, response: Response): void {
  if (fingerprint !== claim.fingerprint) {
    const message = 'the Idempotency-Key was used for another request: each request needs a key of its own';
    throw new HeimdallError('IDEMPOTENCY_KEY_REUSED', message);
  }
  if (answer !== null) {
    response.status(answer.status).set(answer.fields).set('Idempotent-Replayed', 'true').send(answer.body);
    return;
  }
  if (isOurs) {
    throw new HeimdallError('REQUEST_UNDER_WAY', 'the request with this Idempotency-Key is under way: ask again later');
  }
  const message =
    'the manager ended, or lost its registry, while it carried out the request with this Idempotency-Key, and nobody knows how far it came: ' +
    'see what there is (GET /servers/list, /deployments, /events), and use a new key to do it again';
  throw new HeimdallError('OUTCOME_UNKNOWN', message);
}
