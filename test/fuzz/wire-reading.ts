import { BodyReader } from '../../internal/proxy/wire/body-reader.ts';
import type { Framing } from '../../internal/proxy/wire/framing.ts';
import { type HeadLimits, HeadParser } from '../../internal/proxy/wire/head-parser.ts';
import { readRequest } from '../../internal/proxy/wire/request-head.ts';
import { readResponse } from '../../internal/proxy/wire/response-head.ts';
import { type Message, pieces, type Reading } from './reading.ts';

export const LIMITS: HeadLimits = { head: 16_384, fields: 100, target: 8_192 };

export interface WireResult extends Reading {
  /** Octets of the messages; all there are, unless a message ended the connection. */
  readonly consumed: number;
}

type Body = { readonly framing: Framing; readonly length: number; readonly keepAlive: boolean };

/** Reads as the wire engine does: requests up to the one after which the connection closes. */
export function wireRequests(text: string, cuts: readonly number[]): WireResult {
  const reading = new WireReading('request', (head) => {
    const request = readRequest(head, null);
    if (typeof request === 'string') return request;
    const framing = request.chunked ? 'chunked' : request.length > 0 ? 'length' : 'none';
    return { framing, length: request.length, keepAlive: request.keepAlive };
  });
  return reading.read(pieces(text, cuts));
}

/** Reads interim responses and one final response. */
export function wireResponse(text: string, cuts: readonly number[], method: string): WireResult {
  const reading = new WireReading('response', (head) => {
    if (head.status < 200) return { framing: 'none', length: 0, keepAlive: true };
    return readResponse(head, method);
  });
  return reading.read(pieces(text, cuts));
}

class WireReading {
  #consumed = 0;
  readonly #messages: Message[] = [];
  readonly #head: HeadParser;
  readonly #body = new BodyReader();
  readonly #interpret: (head: HeadParser) => Body | string;
  #message: Message | null = null;
  #ending: Reading['ending'] = 'open';

  constructor(kind: 'request' | 'response', interpret: (head: HeadParser) => Body | string) {
    this.#head = new HeadParser(kind, LIMITS);
    this.#interpret = interpret;
  }

  read(chunks: readonly Buffer[]): WireResult {
    for (const chunk of chunks) {
      let at = 0;
      while (this.#ending === 'open' && (at < chunk.length || this.#isEmptyBody())) {
        const after = this.#message === null ? this.#readHead(chunk, at) : this.#readBody(chunk, at, this.#message);
        this.#consumed += after - at;
        at = after;
      }
    }
    if (this.#message !== null && this.#ending === 'open' && this.#body.end()) this.#message.complete = 'at-end';
    const total = chunks.reduce((sum, { length }) => sum + length, 0);
    const consumed = this.#ending === 'closed' ? this.#consumed : total;
    return { messages: this.#messages, ending: this.#ending, consumed };
  }

  #isEmptyBody(): boolean {
    return this.#message !== null && this.#body.done;
  }

  #readHead(chunk: Buffer, from: number): number {
    const head = this.#head;
    const end = head.scan(chunk, from, chunk.length);
    if (head.fault !== null) this.#ending = { refused: head.fault };
    if (end === -1) return chunk.length;
    const body = this.#interpret(head);
    if (typeof body === 'string') {
      this.#ending = { refused: body };
      return chunk.length;
    }
    this.#body.begin(body.framing, body.length, LIMITS);
    this.#message = messageOf(head, body.keepAlive);
    this.#messages.push(this.#message);
    return end;
  }

  #readBody(chunk: Buffer, from: number, message: Message): number {
    const body = this.#body;
    const end = body.read(chunk, from, chunk.length, (start, stop) => {
      message.body += chunk.toString('latin1', start, stop);
    });
    message.trailerSection += chunk.toString('latin1', body.relayEnd, end);
    if (body.fault !== null) {
      this.#ending = { refused: body.fault };
      message.trailerSection = '';
    }
    if (!body.done) return end;
    message.complete = 'yes';
    message.trailers = body.tail.split('\r\n').filter((line) => line !== '');
    this.#message = null;
    const isFinal = this.#head.kind === 'response' && this.#head.status >= 200;
    if (isFinal || !message.keepAlive) this.#ending = 'closed';
    this.#head.reset(LIMITS);
    return end;
  }
}

function messageOf(head: HeadParser, keepAlive: boolean): Message {
  const { text, minorVersion } = head;
  const startLine =
    head.kind === 'request'
      ? ([text.slice(head.methodStart, head.methodEnd), text.slice(head.methodEnd + 1, head.targetEnd)] as const)
      : ([String(head.status), text.slice(head.reasonStart, head.fieldsStart - 2)] as const);
  return {
    startLine: [...startLine, minorVersion],
    fields: Array.from({ length: head.count }, (_, i) => [head.name(i), head.value(i)]).flat(),
    body: '',
    trailers: [],
    trailerSection: '',
    complete: 'no',
    keepAlive,
  };
}
