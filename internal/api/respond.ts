import type { Response } from 'express';
import type { InstanceSettings, ServiceSettings } from '../model/settings.ts';
import type { Answer } from './description.ts';
import { entityTag, matchesWeakly, wantedTags } from './entity-tag.ts';

/** The answer of `sendState` to who has the present tag. */
export const NOT_CHANGED: Answer = { what: 'nothing that can be set has changed since the answer with that ETag' };

/** Sends JSON that also reads well in a terminal; a `Content-Type` that is set already stays. */
export function sendJson(response: Response, value: unknown): void {
  if (!response.get('Content-Type')) response.type('application/json');
  response.send(`${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Sends the state of what has these settings, with their tag; to who looks and has that tag, only that nothing was changed.
 * @throws {HeimdallError} INVALID_REQUEST.
 */
export function sendState(response: Response, settings: ServiceSettings | InstanceSettings, value: unknown): void {
  const { req: request } = response;
  const etag = entityTag(settings);
  const looks = request.method === 'GET' || request.method === 'HEAD';
  const known = looks ? wantedTags(request, 'if-none-match') : null;
  response.set('ETag', etag);
  if (known !== null && matchesWeakly(known, etag)) response.status(304).end();
  else sendJson(response, value);
}
