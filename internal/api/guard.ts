import type { Request, RequestHandler } from 'express';
import { type GuardSettings, type Refusal, refusalOf } from '../../pkg/http-guard/http-guard.ts';
import type { ErrorCode } from '../model/errors.ts';
import { sendProblem } from './problem.ts';
import type { RefusalLog } from './refusal-log.ts';

const CODE = {
  host: 'FORBIDDEN',
  origin: 'FORBIDDEN',
  'token-missing': 'UNAUTHORIZED',
  'token-wrong': 'UNAUTHORIZED',
} as const satisfies Record<Refusal['kind'], ErrorCode>;

/** Stands before everything else. @param settings - those in force now, asked for with every request. */
export function guard(settings: () => GuardSettings, refusals: RefusalLog): RequestHandler {
  return refuse(refusals, (request) => refusalOf(request, settings()));
}

/** Stands before what holds no secret and steers nothing, so that a link from another page may lead there: only re-pointed names are refused. */
export function hostGuard(settings: () => Omit<GuardSettings, 'token'>, refusals: RefusalLog): RequestHandler {
  return refuse(refusals, (request) => {
    const refusal = refusalOf(request, { ...settings(), token: undefined });
    return refusal?.kind === 'host' ? refusal : null;
  });
}

function refuse(refusals: RefusalLog, judge: (request: Request) => Refusal | null): RequestHandler {
  return (request, response, next) => {
    const refusal = judge(request);
    if (refusal === null) return next();
    const { kind, detail, challenge } = refusal;
    refusals.tell(request, kind);
    if (challenge !== undefined) response.set('WWW-Authenticate', challenge);
    sendProblem(request, response, CODE[kind], detail);
  };
}
