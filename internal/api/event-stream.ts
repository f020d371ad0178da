import { once } from 'node:events';
import type { Response } from 'express';
import { EVENT_STREAM } from './http-server.ts';

/** So that whatever is between us and the client sees that the connection is used; milliseconds. */
const HEARTBEAT_MS = 15_000;

/** Server-sent events (WHATWG HTML §9.2) on one response. */
export class EventStream {
  /** Aborted when the client is gone. */
  readonly closed: AbortSignal;
  readonly #response: Response;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(response: Response) {
    const closing = new AbortController();
    this.#response = response;
    this.closed = closing.signal;
    response.set('Content-Type', EVENT_STREAM);
    response.flushHeaders();
    if (response.req.method === 'HEAD') response.end();
    this.#heartbeat = setInterval(() => {
      if (!response.writableEnded) response.write(':\n\n');
    }, HEARTBEAT_MS);
    response.once('close', () => {
      clearInterval(this.#heartbeat);
      closing.abort();
    });
  }

  /** Resolves when the client can take more. @param data - of several lines, or of one. */
  async send(event: string, data: string): Promise<void> {
    if (this.closed.aborted || this.#response.writableEnded) return; // a server that closes ends it, whatever we are about
    const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
    if (this.#response.write(`event: ${event}\n${lines.join('')}\n`)) return;
    await once(this.#response, 'drain', { signal: this.closed }).catch(() => {});
  }

  /** How long a client that was cut off shall wait before it comes back, in milliseconds. */
  retryAfter(ms: number): void {
    if (!this.#response.writableEnded) this.#response.write(`retry: ${ms}\n\n`);
  }

  end(): void {
    clearInterval(this.#heartbeat);
    this.#response.end();
  }
}
