import net from 'node:net';
import { authority } from '../model/address.ts';
import { messageOf } from '../model/errors.ts';
import type { HealthCheck } from '../model/health-check.ts';
import { Answer, type Verdict } from './answer.ts';

const USER_AGENT = 'heimdall-health';
/** What sockets read into, one after the other: nothing of it is used once the callback has returned. */
const SHARED_BUFFER = Buffer.allocUnsafeSlow(16 * 1024);
const UNSENDABLE = /[^!-~]/;

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

type Settle = (verdict: Verdict) => void;

/**
 * One active check over a connection of its own. `check.timeout` bounds the whole of it: connect, response head, and as
 * much of the body as is needed. Redirects are judged by their status, never followed.
 * Never rejects; once it resolves its connection is destroyed. An abort gives a failure with the cause `aborted`.
 */
export const probe: Probe = (target, check, signal) => {
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const fail = (detail: string) => settle({ passed: false, detail });
  const abort = () => fail('aborted');
  // An answer that has arrived while this thread was busy is read in the poll phase, between the timer and the immediate:
  // our own stall must not look like the instance's.
  const timer = setTimeout(
    () => setImmediate(() => fail(`timeout after ${Math.round(check.timeout)} ms`)),
    check.timeout,
  );
  let socket: net.Socket | undefined;
  let settled = false;

  const settle: Settle = ({ passed, detail }) => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    socket?.destroy();
    const elapsedMs = performance.now() - startedAt;
    resolve({ passed, cause: passed ? `passed (${detail} in ${Math.round(elapsedMs)} ms)` : detail, elapsedMs });
  };

  if (signal?.aborted) {
    abort();
    return promise;
  }
  signal?.addEventListener('abort', abort);
  try {
    socket = check.type === 'tcp' ? connect(target, settle) : request(target, check, settle);
  } catch (error) {
    fail(messageOf(error)); // a path or host that cannot be sent, such as one with a space
  }
  return promise;
};

function connect({ host, port }: ProbeTarget, settle: Settle): net.Socket {
  const socket = net.connect({ host, port });
  socket.on('connect', () => settle({ passed: true, detail: 'connected' }));
  socket.on('error', (error) => settle({ passed: false, detail: causeOf(error) }));
  return socket;
}

function request({ host, port }: ProbeTarget, check: HealthCheck, settle: Settle): net.Socket {
  const text = requestText(check.path, check.host ?? authority(host, port));
  const answer = new Answer(check);
  const onread = {
    buffer: SHARED_BUFFER,
    callback: (length: number) => {
      const verdict = answer.read(SHARED_BUFFER.toString('latin1', 0, length));
      if (verdict) settle(verdict);
      return verdict === null;
    },
  };
  const socket = net.connect({ host, port, onread });
  socket.on('connect', () => socket.write(text, 'latin1'));
  socket.on('end', () => settle(answer.end(false)));
  socket.on('error', (error) => settle(isReset(error) ? answer.end(true) : { passed: false, detail: causeOf(error) }));
  return socket;
}

/** @throws when a character would end the request line or the field early. */
function requestText(path: string, host: string): string {
  if (UNSENDABLE.test(path)) throw new Error('the path contains unescaped characters');
  if (UNSENDABLE.test(host)) throw new Error('the host contains unescaped characters');
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: ${USER_AGENT}\r\nAccept: */*\r\nConnection: close\r\n\r\n`;
}

/** By the other side, once the connection was there. */
function isReset(error: NodeJS.ErrnoException): boolean {
  return error.syscall !== 'connect' && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** `connect ECONNREFUSED`, without the address: whoever reads the cause knows which instance it is about. */
function causeOf(error: Error): string {
  // A name with several addresses gives one error for each of them; they rarely differ.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return causeOf(error.errors[0]);
  return 'syscall' in error && 'code' in error ? `${String(error.syscall)} ${String(error.code)}` : error.message;
}
