import type { RequestHandler } from 'express';
import type { Logger } from '../../pkg/logger/logger.ts';

/** Stands in the log for a client that left before its answer. */
const CLIENT_LEFT = 499;

/**
 * One line per request: what only looked and was answered at debug, because monitors poll; the rest at info. Queries stay out of the log.
 * @param routine - paths whose calls come all the time; they count as looking.
 */
export function requestLog(log: Logger, routine: ReadonlySet<string> = new Set()): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    const { method, path } = request;
    response.once('close', () => {
      const status = response.writableFinished ? response.statusCode : CLIENT_LEFT;
      const ms = Math.round(performance.now() - startedAt);
      const looked = (method === 'GET' || method === 'HEAD' || routine.has(path)) && status < 400;
      log[looked ? 'debug' : 'info']({ method, path, status, ms }, 'request');
    });
    next();
  };
}
