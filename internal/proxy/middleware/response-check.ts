import type { IncomingMessage } from 'node:http';
import { valuesOf } from '../fields.ts';

/**
 * Why a response must not be passed on although Node's parser let it through; null when it may.
 * A transfer coding that nobody undoes would reach the client as part of the body.
 */
export function responseFault({ statusCode = 0, rawHeaders }: IncomingMessage): string | null {
  if (statusCode < 200 || statusCode > 999) return `answered with status ${statusCode}`;
  const codings = valuesOf(rawHeaders, 'transfer-encoding');
  if (codings.length > 1 || (codings.length === 1 && !/^chunked$/i.test(codings[0] ?? ''))) {
    return 'answered with a transfer coding other than "chunked"';
  }
  return null;
}

/** The reason phrase as it may be sent: RFC 9112 §4 allows no control characters, and nothing depends on the phrase. */
export function reasonOf({ statusMessage = '' }: IncomingMessage): string {
  return statusMessage.replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
}
