import { printable } from '../../pkg/http-guard/field-text.ts';
import { messageOf } from '../model/errors.ts';
import type { AuditRecord } from '../server/journal.ts';
import type { Caller } from './caller.ts';
import type { Deed } from './deed.ts';

/** For the message and the data; paths of requests that were refused are not here. */
const LONGEST_PATH = 300;

export interface AuditedRequest {
  readonly caller: Caller;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly idempotencyKey: string | null;
}

/** How it ended; status null: it has not ended yet. */
export interface DeedEnd {
  readonly status: number | null;
  readonly failure: unknown;
}

/** Who did what, as far as it is known. `actor` is what the client says of itself. */
export function auditRecord(deed: Deed, request: AuditedRequest, { status, failure }: DeedEnd): AuditRecord {
  const { caller, method, idempotencyKey } = request;
  const path = request.path.slice(0, LONGEST_PATH);
  const actor = printable(deed.actor) ?? 'anonymous';
  const [error] = failure === null ? [] : messageOf(failure).split('\n');
  const words = deed.words ?? `asked for ${method} ${path}`;
  const outcome = error === undefined ? '' : `, which failed: ${error}`;
  const via = caller.carriedBy === null ? '' : `, by node ${caller.carriedBy}`;
  return {
    subject: deed.subject,
    message: `${actor} ${words}${outcome} (from ${caller.address}${via})`,
    data: {
      actor,
      address: caller.address,
      method,
      path,
      ...(status === null ? {} : { status }),
      ...deed.differences,
      ...(error === undefined ? {} : { error }),
      ...(caller.carriedBy === null ? {} : { carriedBy: caller.carriedBy }),
      ...(caller.userAgent === null ? {} : { userAgent: caller.userAgent }),
      ...(caller.requestId === null ? {} : { requestId: caller.requestId }),
      ...(idempotencyKey === null ? {} : { idempotencyKey }),
    },
  };
}
