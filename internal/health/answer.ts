import type { HealthCheck } from '../model/health-check.ts';
import { type Payload, payloadOf } from './payload.ts';

/** Of the final head together with the interim ones before it, in octets. */
const HEAD_LIMIT = 16 * 1024;
/** How much of a body is searched for the expected text, in octets. */
const BODY_LIMIT = 64 * 1024;
/** How much of something that is not HTTP a cause quotes. */
const QUOTE_LENGTH = 20;
const HEAD_START = 'HTTP/1.';
const HEAD_END = '\r\n\r\n';
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9]\d\d)(?: .*)?\r$/;
const SWITCHING_PROTOCOLS = 101;
const FIRST_FINAL_STATUS = 200;

/** `detail` of a pass says what was seen (`200`), that of a failure is the whole cause. */
export interface Verdict {
  readonly passed: boolean;
  readonly detail: string;
}

/**
 * Judges the answer to one probe and asks for no octet more than that takes: the complete head, and of the body what
 * is needed to see the expected text. Text is latin1, one character per octet, and comes in pieces of any size.
 */
export class Answer {
  readonly #check: HealthCheck;
  #heads = '';
  /** Where the present head begins; interim ones are before it. */
  #headAt = 0;
  #body: BodySearch | null = null;

  constructor(check: HealthCheck) {
    this.#check = check;
  }

  /** @returns null while it takes more to judge. */
  read(text: string): Verdict | null {
    if (this.#body) return this.#body.read(text);
    this.#heads += text;
    return this.#readHeads();
  }

  /** The verdict when the connection ends now. @param reset - by an error, not by a close in order. */
  end(reset: boolean): Verdict {
    if (this.#body?.mayClose === true && !reset) return this.#body.absent();
    if (this.#heads !== '') return failed('response cut short');
    return failed(`connection ${reset ? 'reset' : 'closed'} before the response`);
  }

  #readHeads(): Verdict | null {
    for (;;) {
      const status = readStatus(this.#heads, this.#headAt);
      if (status === 'invalid') return failed(`not an HTTP response (${quote(this.#heads, this.#headAt)})`);
      const end = this.#heads.indexOf(HEAD_END, this.#headAt);
      if ((end === -1 ? this.#heads.length : end) > HEAD_LIMIT) return failed('response head longer than 16 KiB');
      if (status === 'incomplete' || end === -1) return null;
      if (status >= FIRST_FINAL_STATUS || status === SWITCHING_PROTOCOLS) return this.#judge(status, end);
      this.#headAt = end + HEAD_END.length;
    }
  }

  #judge(status: number, end: number): Verdict | null {
    const { expect, body } = this.#check;
    if (!isExpected(status, expect)) return failed(`status ${status}`);
    if (body === undefined) return { passed: true, detail: String(status) };
    const payload = payloadOf(status, this.#heads.slice(this.#headAt, end + 2));
    if (payload === null) return failed('response with an unclear body length');
    this.#body = new BodySearch(body, status, payload);
    return this.#body.read(this.#heads.slice(end + HEAD_END.length));
  }
}

/** Looks for a text in the first 64 KiB of a body. */
class BodySearch {
  readonly #text: string;
  readonly #wanted: string;
  readonly #status: number;
  readonly #payload: Payload;
  /** The end of what was searched, as long as the text may have begun in it. */
  #tail = '';
  /** Octets of payload so far. */
  #length = 0;

  constructor(text: string, status: number, payload: Payload) {
    this.#text = text;
    this.#wanted = Buffer.from(text).toString('latin1');
    this.#status = status;
    this.#payload = payload;
  }

  get mayClose(): boolean {
    return this.#payload.mayClose;
  }

  read(text: string): Verdict | null {
    const piece = this.#payload.read(text).slice(0, BODY_LIMIT - this.#length);
    this.#length += piece.length;
    const searched = this.#tail + piece;
    if (searched.includes(this.#wanted)) return { passed: true, detail: String(this.#status) };
    if (this.#payload.broken) return failed('response with broken chunks');
    if (this.#payload.ended || this.#length === BODY_LIMIT) return this.absent();
    this.#tail = searched.slice(Math.max(0, searched.length - this.#wanted.length + 1));
    return null;
  }

  absent(): Verdict {
    return failed(`body does not contain ${JSON.stringify(this.#text)}`);
  }
}

/** `incomplete` as long as the line may still become a status line. */
function readStatus(text: string, from: number): number | 'incomplete' | 'invalid' {
  const lineEnd = text.indexOf('\n', from);
  if (lineEnd === -1) {
    return HEAD_START.startsWith(text.slice(from, from + HEAD_START.length)) ? 'incomplete' : 'invalid';
  }
  const status = STATUS_LINE.exec(text.slice(from, lineEnd))?.[1];
  return status === undefined ? 'invalid' : Number(status);
}

function isExpected(status: number, expect: HealthCheck['expect']): boolean {
  return expect.some((item) => (typeof item === 'number' ? item === status : item.from <= status && status <= item.to));
}

/** Nothing of it can act on a terminal or break a line of a log. */
function quote(text: string, from: number): string {
  const [line = ''] = text.slice(from, from + QUOTE_LENGTH).split(/\r?\n/, 1);
  return `"${line.replaceAll(/[^ !#-~]/g, '?')}"`;
}

function failed(detail: string): Verdict {
  return { passed: false, detail };
}
