import type { RequestHandler } from 'express';
import type { Logger } from '../../pkg/logger/logger.ts';

/** Stands in the log for a client that left before its answer. */
const CLIENT_LEFT = 499;

/** One line per request: at debug for `/status`, which monitors poll, at info otherwise. Queries stay out of the log. */
export function requestLog(log: Logger): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    const { method, path } = request;
    response.once('close', () => {
      const status = response.writableFinished ? response.statusCode : CLIENT_LEFT;
      const ms = Math.round(performance.now() - startedAt);
      log[path === '/status' ? 'debug' : 'info']({ method, path, status, ms }, 'request');
    });
    next();
  };
}
