import type { Response } from 'express';

/** Sends JSON that also reads well in a terminal; a `Content-Type` that is set already stays. */
export function sendJson(response: Response, value: unknown): void {
  if (!response.get('Content-Type')) response.type('application/json');
  response.send(`${JSON.stringify(value, null, 2)}\n`);
}
