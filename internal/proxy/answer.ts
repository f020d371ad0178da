import type { RawFields } from './fields.ts';

/** An answer of the load balancer's own: small, and silent about what is behind it. */
export interface Answer {
  readonly status: number;
  /** The phrase of the status. */
  readonly title: string;
  readonly type: string;
  readonly body: string;
  /** Seconds; only for a 429 or a 503. */
  readonly retryAfter: number | null;
  /** Others that go with it. */
  readonly fields: RawFields;
}

const TEXT: Readonly<Record<number, readonly [title: string, detail: string]>> = {
  400: ['Bad Request', 'The request is not valid HTTP.'],
  404: ['Not Found', 'No service is configured for this host and path.'],
  408: ['Request Timeout', 'The request did not arrive in time.'],
  413: ['Content Too Large', 'The request body is larger than this server accepts.'],
  414: ['URI Too Long', 'The request target is longer than this server accepts.'],
  429: ['Too Many Requests', 'There were too many requests from this client. Please try again later.'],
  431: ['Request Header Fields Too Large', 'The request head is larger than this server accepts.'],
  501: ['Not Implemented', 'This server does not support what the request asks for.'],
  502: ['Bad Gateway', 'The server behind this one gave no valid answer.'],
  503: ['Service Unavailable', 'No server is available for this request right now. Please try again.'],
  504: ['Gateway Timeout', 'The server behind this one took too long to answer.'],
  505: ['HTTP Version Not Supported', 'This server speaks HTTP/1.1 and HTTP/1.0.'],
};
const RETRY_AFTER_S = 1;

/** A range that names HTML, and does not refuse it. */
const ACCEPTS_HTML = /\btext\/html\b(?![^,]*;\s*q=0(?:\.0*)?\s*(?:[,;]|$))/i;

const NO_FIELDS: RawFields = [];

export interface AnswerDetails {
  readonly detail?: string | undefined;
  /** HTML, for those who take that; null: there is none. */
  readonly page?: string | null | undefined;
  /** Seconds; by default one for a 503, and nothing is said for any other status. */
  readonly retryAfter?: number | undefined;
  readonly fields?: RawFields | undefined;
}

/** @param accept - the request's Accept field: the page or JSON when it is asked for, text otherwise. */
export function answerFor(status: number, accept: string | undefined, details: AnswerDetails = {}): Answer {
  const { detail, page, fields = NO_FIELDS } = details;
  const retryAfter = details.retryAfter ?? (status === 503 ? RETRY_AFTER_S : null);
  const [title, standard] = TEXT[status] ?? ['Error', ''];
  if (typeof page === 'string' && accept !== undefined && ACCEPTS_HTML.test(accept)) {
    return { status, title, type: 'text/html; charset=utf-8', body: page, retryAfter, fields };
  }
  const text = detail ?? standard;
  const json = accept !== undefined && /\bapplication\/(problem\+)?json\b/i.test(accept);
  return {
    status,
    title,
    type: json ? 'application/problem+json' : 'text/plain; charset=utf-8',
    body: json ? `${JSON.stringify({ title, status, detail: text })}\n` : `${status} ${title}\n${text}\n`,
    retryAfter,
    fields,
  };
}
