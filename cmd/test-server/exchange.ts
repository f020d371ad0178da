import type { IncomingMessage, ServerResponse } from 'node:http';

/** What all requests of one sample backend share. */
export interface Backend {
  readonly name: string;
  readonly version: string;
  readonly port: number;
  /** Aborted when the backend was told to stop. */
  readonly stopping: AbortSignal;
  /** Answered so far, health checks left out. */
  requests: number;
  healthy: boolean;
  /** Put before every answer but that of `/switch`, in milliseconds. */
  delay: number;
}

/** One request and the means to answer it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly backend: Backend;
}

/** May reject with `BadQuery`, or because the client has left. */
export type Handler = (exchange: Exchange) => void | Promise<void>;

export class BadQuery extends Error {}

/** @throws {BadQuery} when the parameter is there and is not a whole number within the bounds. */
export function integerIn(
  query: URLSearchParams,
  name: string,
  fallback: number,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new BadQuery(`${name} is ${JSON.stringify(text)}: expected a whole number from ${min} to ${max}`);
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
