import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from '../../pkg/logger/logger.ts';
import { hasCode, HeimdallError, messageOf } from '../model/errors.ts';
import { isRegistryAway } from '../registry/registry.ts';
import type { RequestClaim } from '../registry/request-keys.ts';
import { insist } from '../server/insist.ts';
import { type AuditedRequest, auditRecord } from './audit.ts';
import { readBytes } from './body.ts';
import { callerOf } from './caller.ts';
import { Deed } from './deed.ts';
import type { Endpoint } from './endpoint.ts';
import { wantedTags } from './entity-tag.ts';
import { HeldAnswer } from './held-answer.ts';
import { invalid } from './input.ts';
import type { Manager } from './manager.ts';
import { claimOf, keptAnswer, replay } from './request-key.ts';

/** Answers with what went wrong. */
export type ErrorSender = (error: unknown, request: Request, response: Response) => void;

interface MutationOptions {
  readonly manager: Pick<Manager, 'audit' | 'requestKeys' | 'services'>;
  /** The token that every call needs now; undefined: none. */
  readonly token: () => string | undefined;
  /** Judges the signature that a request has in place of the token. @throws {HeimdallError} UNAUTHORIZED. */
  readonly authenticate: (request: Request, response: Response, bytes: Buffer) => void;
  readonly log: Logger;
  readonly sendError: ErrorSender;
}

const NOTHING_TO_MATCH = 'this changes nothing that has an ETag; send it without the field';

/** What changes something: it is done once for each idempotency key, and audited, whether or not its client stays for the answer. */
export function mutation({ handle, description }: Endpoint, options: MutationOptions): RequestHandler {
  return async (request, response) => {
    const isKnown = options.token() !== undefined && description.isSignable !== true; // a signature vouches for no other field
    const caller = callerOf(request, isKnown);
    const audited = { caller, method: request.method, path: request.originalUrl };
    const ifMatch = wantedTags(request, 'if-match');
    if (ifMatch !== null && description.conditional !== true) throw invalid('header.If-Match', NOTHING_TO_MATCH);
    const isPost = request.method === 'POST';
    const bytes = isPost || request.method === 'PATCH' ? await readBytes(request, response) : Buffer.alloc(0);
    if (description.isSignable === true) options.authenticate(request, response, bytes);
    const claim = isPost ? claimOf(request, bytes, options.token()) : null;
    const known = claim && (await options.manager.requestKeys.claim(claim));
    if (claim !== null && known !== null) return replay(known, claim, response);
    const work: Work = {
      options,
      request,
      response,
      claim,
      isRoutine: description.isRoutine === true,
      audited: { ...audited, idempotencyKey: claim?.key ?? null },
    };
    const tell = (early: Deed) => audit(work, early, { status: null, failure: null });
    const deed = new Deed({ ifMatch, actor: caller.actor, tell });
    await carryOut(work, deed, () => handle(request, response, { bytes, deed }));
  };
}

interface Work {
  readonly options: MutationOptions;
  readonly request: Request;
  readonly response: Response;
  readonly claim: RequestClaim | null;
  readonly isRoutine: boolean;
  readonly audited: AuditedRequest;
}

/** Whatever it comes to is kept and told before the client has its answer. */
async function carryOut(work: Work, deed: Deed, handle: () => Promise<void>): Promise<void> {
  const { request, response, options } = work;
  const held = new HeldAnswer(response);
  let failure: unknown = null;
  try {
    await handle();
  } catch (error) {
    failure = error;
    options.sendError(error, request, response);
  }
  const status = response.statusCode;
  await settle(work, deed, failure, held.text);
  const isRoutine = work.isRoutine && failure === null;
  const isRefused = status >= 400 && status < 500 && deed.words === null; // nothing has changed, and the log tells of it
  if (!isRoutine && !isRefused && (!deed.isTold || failure !== null)) await audit(work, deed, { status, failure });
  held.release();
}

/**
 * Keeps the answer of what was done. A key of which nothing has come is free again: what was in the way may be gone the next
 * time. What goes on after this manager stays without an answer, which the next one finds; nobody will know what comes of what
 * was done in part when the registry went away.
 */
async function settle({ options, response, claim }: Work, deed: Deed, failure: unknown, text: string | null) {
  if (claim === null) return;
  const { requestKeys, services } = options.manager;
  const isExpected = failure === null || failure instanceof HeimdallError;
  const isVain = isExpected && response.statusCode >= 400 && deed.words === null;
  if (!isVain && hasCode(failure, 'SHUTTING_DOWN')) return;
  const answer = text === null || isRegistryAway(failure) ? null : keptAnswer(response, text);
  const keep = () => {
    if (isVain) return requestKeys.release(claim);
    return answer === null ? requestKeys.giveUp(claim) : requestKeys.settle(claim, answer);
  };
  try {
    await keep();
  } catch (error) {
    const { key } = claim;
    options.log.warn({ reason: messageOf(error), key }, 'what came of a request could not be kept under its key yet');
    insist(keep, services.stopping).catch(() => {}); // its client does not wait for that
  }
}

async function audit({ options, audited }: Work, deed: Deed, end: Parameters<typeof auditRecord>[2]): Promise<void> {
  await options.manager.audit(auditRecord(deed, audited, end));
}
