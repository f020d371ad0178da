import type * as Http from 'node:http';

const http: typeof Http = process.getBuiltinModule('node:http');

/**
 * Of `node:http`, which nobody imports: an import reads everything that a module exports, and one of these exports
 * (`WebSocket`) loads an HTTP client of its own when it is read. That takes longer than all else a small process loads.
 */
export const { Agent, createServer, get, request } = http;
export type Agent = Http.Agent;
