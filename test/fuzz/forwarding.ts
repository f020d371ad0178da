import { isDeepStrictEqual } from 'node:util';
import { BodyReader } from '../../internal/proxy/wire/body-reader.ts';
import type { Framing } from '../../internal/proxy/wire/framing.ts';
import { Tracer } from '../../internal/proxy/tracing/tracer.ts';
import { HeadParser } from '../../internal/proxy/wire/head-parser.ts';
import { readRequest } from '../../internal/proxy/wire/request-head.ts';
import { Peer, requestTraceOf, upstreamHead, withTraceparent } from '../../internal/proxy/wire/request-writer.ts';
import { clientHead, readResponse } from '../../internal/proxy/wire/response-head.ts';
import { type NodeReader, nodeResponse } from './node-reading.ts';
import type { Reading } from './reading.ts';
import type { Sample } from './samples.ts';
import { LIMITS, wireRequests, wireResponse } from './wire-reading.ts';

const ID = 'id';
const TRACER = new Tracer({ sampleRatio: 0.5 }, () => {});

/** What a message says, by which the next hop acts. */
interface Meaning {
  readonly start: string;
  readonly body: string;
}

/**
 * Rewrites the first request of a sample as the engine does, and lets both parsers read what the upstream gets: that must
 * be one request, the same one.
 * @returns what is wrong, or null; null, too, for a request that is refused.
 */
export async function checkForwardedRequest({ text: sample, cuts }: Sample, node: NodeReader): Promise<string | null> {
  const head = new HeadParser('request', LIMITS);
  const octets = Buffer.from(sample, 'latin1');
  const end = head.scan(octets, 0, octets.length);
  const request = end === -1 ? 'incomplete' : readRequest(head, null);
  if (typeof request === 'string') return null;
  const framing = request.chunked ? 'chunked' : request.length > 0 ? 'length' : 'none';
  const body = relayedBody(framing, request.length, octets, end);
  if (body === null) return null;
  const peer = new Peer('192.0.2.1', '192.0.2.9', 80, cuts.length % 2 === 0);
  const trace = requestTraceOf(head, cuts.length % 3 === 0 ? TRACER : null);
  trace?.nextAttempt();
  const text = upstreamHead(head, request, peer, ID, trace);
  const sent = (trace === null ? text : withTraceparent(text, trace.traceparent)) + body;
  const meaning = {
    start: `${request.method} ${request.target}`,
    body: wireRequests(sample, []).messages[0]?.body ?? '',
  };
  // One empty line is let through behind a request: with another one before it, the engine has sent too much.
  if (request.keepAlive && wireRequests(`${sent}\r\nGET`, cuts).ending !== 'open')
    return `too much goes on: ${JSON.stringify(sent)}`;
  return problem(sent, meaning, wireRequests(sent, cuts), await node.requests(sent));
}

/** The same for the first final response of a sample, to a client of HTTP/1.1. */
export async function checkForwardedResponse({ text, cuts, method }: Sample): Promise<string | null> {
  const head = new HeadParser('response', LIMITS);
  const octets = Buffer.from(text, 'latin1');
  const end = head.scan(octets, 0, octets.length);
  const response = end === -1 || head.status < 200 ? 'no final head' : readResponse(head, method);
  if (typeof response === 'string' || response.framing === 'until-close') return null;
  const body = relayedBody(response.framing, response.length, octets, end);
  if (body === null) return null;
  const chunked = response.framing === 'chunked';
  const client = { method, requestId: ID, setCookie: 'a=b', lines: '', replaced: null, chunked, connection: null };
  const sent = clientHead(head, response, client) + body;
  const meaning = { start: String(head.status), body: wireResponse(text, [], method).messages[0]?.body ?? '' };
  const wire = wireResponse(sent, cuts, method);
  if (wire.consumed !== sent.length) return `too much goes on: ${JSON.stringify(sent)}`;
  return problem(sent, meaning, wire, await nodeResponse(sent, method));
}

function problem(sent: string, meaning: Meaning, ...readings: readonly Reading[]): string | null {
  for (const { messages, ending } of readings) {
    const [message, ...others] = messages;
    const isUnknownMethod = message === undefined && JSON.stringify(ending).includes('HPE_INVALID_METHOD');
    if (isUnknownMethod) continue;
    if (message === undefined || others.length > 0)
      return `what goes on is ${messages.length} messages: ${JSON.stringify(sent)}`;
    const [first, second, minor] = message.startLine;
    const start = /^\d{3}$/.test(first) ? first : `${first} ${second}`;
    const read = [start, message.body, message.complete, minor];
    const expected = [meaning.start, meaning.body, 'yes', 1];
    if (!isDeepStrictEqual(read, expected))
      return `what goes on is read as ${JSON.stringify(read)}: ${JSON.stringify(sent)}`;
  }
  return null;
}

/** @returns what the next hop gets of a whole body; null for one that is refused or breaks off. */
function relayedBody(framing: Framing, length: number, octets: Buffer, from: number): string | null {
  const reader = new BodyReader();
  reader.begin(framing, length, LIMITS);
  if (reader.done) return '';
  reader.read(octets, from, octets.length, null);
  return reader.done ? octets.toString('latin1', from, reader.relayEnd) + reader.tail : null;
}
