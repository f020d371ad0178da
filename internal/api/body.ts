import type { Request, Response } from 'express';
import { HeimdallError, messageOf } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';

const LIMIT_BYTES = 64 * 1024;
/** A body above the limit is still read up to here, so that its sender gets to read the answer. */
const DISCARD_BYTES = 1024 * 1024;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/**
 * The JSON of a body. No body and an empty one count as `{}`, whatever their type.
 * @throws {HeimdallError} UNSUPPORTED_MEDIA_TYPE; INVALID_REQUEST when it is not JSON.
 */
export function parseBody(request: Request, bytes: Buffer): unknown {
  if (bytes.length === 0) return {};
  requireJson(request);
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const detail = error instanceof TypeError ? 'it is not UTF-8' : messageOf(error);
    throw new HeimdallError('INVALID_REQUEST', `The body is not JSON: ${detail}.`, {
      errors: [{ path: 'body', message: detail }],
    });
  }
}

/** Refuses a body of which the head says already that nobody takes it. @throws {HeimdallError} BODY_TOO_LARGE. */
export function refuseTooLarge({ headers }: Request): void {
  if (Number(headers['content-length'] ?? 0) > LIMIT_BYTES) throw tooLarge();
}

/** Reads a body of at most 64 KiB. @throws {HeimdallError} BODY_TOO_LARGE; INVALID_REQUEST when it broke off. */
export async function readBytes(request: Request, response: Response): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      length += chunk.length;
      if (length <= LIMIT_BYTES) chunks.push(chunk);
      if (length > DISCARD_BYTES) break;
    }
  } catch (cause) {
    throw new HeimdallError('INVALID_REQUEST', 'The body broke off.', {}, { cause });
  }
  if (length <= LIMIT_BYTES) return Buffer.concat(chunks);
  if (length > DISCARD_BYTES) response.set('Connection', 'close');
  throw tooLarge();
}

function tooLarge(): HeimdallError {
  return new HeimdallError('BODY_TOO_LARGE', `The body may have at most ${LIMIT_BYTES} bytes.`, { limit: LIMIT_BYTES });
}

function requireJson(request: Request): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new HeimdallError('UNSUPPORTED_MEDIA_TYPE', 'Send the body without Content-Encoding.');
  }
  const type = request.headers['content-type'];
  if (type !== undefined && JSON_TYPE.test(type)) return;
  throw new HeimdallError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Send the body with "Content-Type: application/json" (curl: -H 'Content-Type: application/json'), not ${
      type === undefined ? 'without a type' : `as "${type}"`
    }.`,
  );
}
