import { once } from 'node:events';
import { type Agent, type IncomingMessage, request as send, type RequestOptions } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { longBodyPart } from '../support/long-body.ts';
import { any, anyLength, type Place, type Visit } from './visit.ts';

const MOST = 300_000;
const PERIOD = 1_000_000;
/** More than all buffers of a connection through the proxy hold. */
const LONG = 24_000_000;
const SLOW_MS = 5;

/** Clients that speak HTTP as they should, each on the connections of its agent. */
export function httpVisits(agent: Agent): Readonly<Record<string, Visit>> {
  const ask = ({ port, signal }: Place, options: RequestOptions) =>
    send({ port, host: '127.0.0.1', agent, signal, ...options });

  const get = async (place: Place, length: number, slow: boolean) => {
    const from = any(PERIOD);
    const chunked = any(2) === 0 ? '&chunked' : '';
    const request = ask(place, { path: `/octets?from=${from}&length=${length}${chunked}` });
    const answered = once(request.end(), 'response', place);
    await same(await answered, (at, size) => longBodyPart(from + at, size), length, slow);
  };

  const post = async (place: Place, path: string, length: number, slow: boolean) => {
    const from = any(PERIOD);
    const headers = any(2) === 0 ? { 'Content-Length': length } : { 'Transfer-Encoding': 'chunked' };
    const request = ask(place, { path, method: any(2) === 0 ? 'POST' : 'PUT', headers });
    const answered = once(request, 'response', place);
    const right = answered.then((response) =>
      same(response, (at, size) => longBodyPart(from + at, size), length, slow),
    );
    right.catch(() => {}); // it is awaited below
    for (let sent = 0; sent < length; ) {
      const size = Math.min(1 + any(slow ? 10_000 : 100_000), length - sent);
      if (!request.write(longBodyPart(from + sent, size))) await once(request, 'drain', place);
      sent += size;
      if (slow) await sleep(SLOW_MS);
    }
    request.end();
    await right;
  };

  return {
    GET: (place) => get(place, anyLength(MOST), false),
    'POST and PUT': (place) => post(place, '/echo', anyLength(MOST), false),
    'slow reader': (place) => get(place, LONG, true),
    'slow writer': (place) => post(place, '/echo', anyLength(MOST), true),
    'slow backend': (place) => post(place, '/echo?slowly', LONG, false),
  };
}

/** Reads an answer to its end. @throws when it is not the one expected. */
async function same(
  [response]: readonly IncomingMessage[],
  expected: (at: number, size: number) => Buffer,
  length: number,
  slow: boolean,
): Promise<void> {
  if (response === undefined) throw new Error('no answer');
  let at = 0;
  let text = '';
  for await (const chunk of response) {
    if (response.statusCode !== 200) text += String(chunk);
    else if (!expected(at, chunk.length).equals(chunk)) throw new Error(`other octets after ${at}`);
    at += chunk.length;
    if (slow) await sleep(SLOW_MS);
  }
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}: ${text}`);
  if (at !== length) throw new Error(`${at} octets instead of ${length}`);
}
