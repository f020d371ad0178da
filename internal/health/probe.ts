import http from 'node:http';
import net from 'node:net';
import { authority } from '../model/address.ts';
import { messageOf } from '../model/errors.ts';
import type { HealthCheck } from '../model/service.ts';

const USER_AGENT = 'heimdall-health';
/** How much of a body is searched for the expected text. */
const BODY_LIMIT_BYTES = 64 * 1024;

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
}

export interface ProbeResult {
  readonly passed: boolean;
  /** Short and for people: `passed (200 in 3 ms)`, `status 503`, `connect ECONNREFUSED`, `timeout after 500 ms`. */
  readonly cause: string;
  readonly elapsedMs: number;
}

export type Probe = (target: ProbeTarget, check: HealthCheck, signal?: AbortSignal) => Promise<ProbeResult>;

/** `detail` of a pass says what was seen (`200`), that of a failure is the whole cause. */
type Settle = (passed: boolean, detail: string) => void;

/**
 * One active check over a connection of its own. `check.timeout` bounds the whole of it: connect, response head, and as
 * much of the body as is needed. Redirects are judged by their status, never followed.
 * Never rejects; once it resolves its connection is destroyed. An abort gives a failure with the cause `aborted`.
 */
export const probe: Probe = (target, check, signal) => {
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const abort = () => settle(false, 'aborted');
  // An answer that has arrived while this thread was busy is read in the poll phase, between the timer and the immediate:
  // our own stall must not look like the instance's.
  const timer = setTimeout(
    () => setImmediate(() => settle(false, `timeout after ${Math.round(check.timeout)} ms`)),
    check.timeout,
  );
  let connection: { destroy(): void } | undefined;
  let settled = false;

  const settle: Settle = (passed, detail) => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    connection?.destroy();
    const elapsedMs = performance.now() - startedAt;
    resolve({ passed, cause: passed ? `passed (${detail} in ${Math.round(elapsedMs)} ms)` : detail, elapsedMs });
  };

  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) {
    abort();
    return promise;
  }
  try {
    connection = check.type === 'tcp' ? connect(target, settle) : request(target, check, settle);
  } catch (error) {
    settle(false, messageOf(error)); // a path or host that cannot be sent, such as one with a space
  }
  return promise;
};

function connect({ host, port }: ProbeTarget, settle: Settle): net.Socket {
  const socket = net.connect({ host, port });
  socket.once('connect', () => settle(true, 'connected'));
  socket.on('error', (error) => settle(false, causeOf(error)));
  return socket;
}

function request({ host, port }: ProbeTarget, check: HealthCheck, settle: Settle): http.ClientRequest {
  const outgoing = http.request({
    host,
    port,
    path: check.path,
    agent: false,
    headers: {
      Host: check.host ?? authority(host, port),
      'User-Agent': USER_AGENT,
      Accept: '*/*',
      Connection: 'close',
    },
  });
  outgoing.on('response', (response) => judge(response, check, settle));
  outgoing.on('error', (error) => settle(false, causeOf(error)));
  outgoing.end();
  return outgoing;
}

function judge(response: http.IncomingMessage, check: HealthCheck, settle: Settle): void {
  response.on('error', () => settle(false, 'response cut short'));
  const status = response.statusCode ?? 0;
  if (!isExpected(status, check.expect)) settle(false, `status ${status}`);
  else if (check.body === undefined) settle(true, String(status));
  else
    searchBody(response, check.body, (found) =>
      settle(found, found ? String(status) : `body does not contain ${JSON.stringify(check.body)}`),
    );
}

function isExpected(status: number, expect: HealthCheck['expect']): boolean {
  return expect.some((item) => (typeof item === 'number' ? item === status : item.from <= status && status <= item.to));
}

/** Reports once the text was seen, the body has ended, or its first 64 KiB are over; the caller then ends the response. */
function searchBody(response: http.IncomingMessage, text: string, report: (found: boolean) => void): void {
  const wanted = Buffer.from(text);
  const seen = Buffer.allocUnsafe(BODY_LIMIT_BYTES);
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    const from = Math.max(0, length - wanted.length + 1); // the text may straddle two chunks
    length += chunk.copy(seen, length);
    if (seen.subarray(from, length).includes(wanted)) report(true);
    else if (length === BODY_LIMIT_BYTES) report(false);
  });
  response.on('end', () => report(false));
}

/** `connect ECONNREFUSED`, without the address: whoever reads the cause knows which instance it is about. */
function causeOf(error: Error): string {
  // A name with several addresses gives one error for each of them; they rarely differ.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return causeOf(error.errors[0]);
  const code = 'code' in error ? String(error.code) : '';
  if ('syscall' in error) return `${String(error.syscall)} ${code}`;
  if (code === 'ECONNRESET') return 'connection closed before the response';
  return code.startsWith('HPE_') ? `not an HTTP response (${code})` : error.message;
}
