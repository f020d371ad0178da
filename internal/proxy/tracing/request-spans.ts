import type { Attributes, Span } from '../../../pkg/tracing/span.ts';
import type { AttemptRecord } from '../engine.ts';
import type { TracedRequest } from './traced-request.ts';

/** Others are `_OTHER`: clients may make up as many as they like. */
const KNOWN_METHODS = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);
const OTHER = '_OTHER';
/** In our records only: no client ever gets it. */
const CLIENT_GONE = 499;
const FIRST_CLIENT_ERROR = 400;
const FIRST_SERVER_ERROR = 500;
const COMPLETED = 'completed';
const CLIENT_CLOSED = 'client-closed';

/**
 * The spans of a finished request: its own, and one for each of its attempts. Names and attributes are those of the
 * semantic conventions for HTTP (1.45), besides `heimdall.*`. The query of the target is left out: it may hold secrets.
 */
export function requestSpans(request: TracedRequest): Span[] {
  return [serverSpan(request), ...request.attempts.map((attempt, index) => attemptSpan(request, attempt, index))];
}

function serverSpan(request: TracedRequest): Span {
  const { trace, at, totalMs, status, termination, attempts } = request;
  const brokeOff = attempts.at(-1)?.outcome.startsWith('truncated') === true;
  const failed = status >= FIRST_SERVER_ERROR || brokeOff;
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    parent: trace.parentId === null ? null : { spanId: trace.parentId, isRemote: true },
    state: trace.state,
    name: nameOf(request),
    kind: 'server',
    startedAt: at,
    endedAt: at + totalMs,
    failed,
    attributes: {
      ...methodOf(request),
      'url.scheme': request.secure ? 'https' : 'http',
      'url.path': pathOf(request.target),
      ...serverOf(request),
      'client.address': request.client,
      'network.protocol.version': request.protocol.slice('HTTP/'.length) || undefined,
      'user_agent.original': request.userAgent,
      'http.response.status_code': status === CLIENT_GONE ? undefined : status,
      'error.type': failed ? (brokeOff ? termination : String(status)) : undefined,
      'heimdall.request_id': request.id,
      'heimdall.service': request.service ?? undefined,
      'heimdall.algorithm': request.algorithm,
      'heimdall.instance': attempts.at(-1)?.upstream,
      'heimdall.queue_ms': rounded(request.queueMs),
      'heimdall.termination': termination,
      'heimdall.refusal': request.refusal,
    },
  };
}

function attemptSpan(request: TracedRequest, attempt: AttemptRecord, index: number): Span {
  const { trace, at, status, attempts } = request;
  const { host, port, outcome, headMs, connectMs } = attempt;
  const startedAt = at + attempt.afterMs;
  const endedAt = at + Math.min(attempt.afterMs + attempt.totalMs, request.totalMs); // never rounded beyond the request's end
  const answered = headMs !== null && index === attempts.length - 1 ? status : undefined; // whoever answers is the last
  const kind = outcome.split(':', 1)[0] ?? '';
  const isBroken = kind !== COMPLETED && kind !== CLIENT_CLOSED;
  const isError = answered !== undefined && answered >= FIRST_CLIENT_ERROR && answered !== CLIENT_GONE;
  const literal = host.includes(':') ? `[${host}]` : host;
  return {
    traceId: trace.traceId,
    spanId: trace.attemptIds[index] ?? '',
    parent: { spanId: trace.spanId, isRemote: false },
    state: trace.state,
    name: nameOf(request),
    kind: 'client',
    startedAt,
    endedAt,
    failed: isBroken || isError,
    attributes: {
      ...methodOf(request),
      'server.address': host,
      'server.port': port,
      'url.full': `http://${literal}:${port}${pathOf(request.target)}`,
      'network.protocol.version': '1.1',
      'http.request.resend_count': index === 0 ? undefined : index,
      'http.response.status_code': answered === CLIENT_GONE ? undefined : answered,
      'error.type': isBroken ? kind : isError ? String(answered) : undefined,
      'heimdall.service': request.service ?? undefined,
      'heimdall.instance': attempt.upstream,
      'heimdall.outcome': outcome,
      'heimdall.connect_ms': connectMs === null ? undefined : rounded(connectMs),
      'heimdall.head_ms': headMs === null ? undefined : rounded(headMs),
    },
  };
}

/** The method alone: which paths belong together, a load balancer does not know. */
function nameOf({ method }: TracedRequest): string {
  return KNOWN_METHODS.has(method) ? method : 'HTTP';
}

function methodOf({ method }: TracedRequest): Attributes {
  if (KNOWN_METHODS.has(method)) return { 'http.request.method': method };
  return { 'http.request.method': OTHER, 'http.request.method_original': method || undefined };
}

function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? '';
}

/** Whom the client asked for. */
function serverOf({ host, secure }: TracedRequest): Attributes {
  const [, address, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  if (!address) return {};
  return { 'server.address': address, 'server.port': port === undefined ? (secure ? 443 : 80) : Number(port) };
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}
