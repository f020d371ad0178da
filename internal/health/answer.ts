import type { HealthCheck } from '../model/health-check.ts';
import { BodyJudge, type Verdict } from './body-judge.ts';
import { framingFields } from './framing-fields.ts';
import { type Payload, payloadOf } from './payload.ts';

/** Of the final head together with the interim ones before it, in octets. */
const HEAD_LIMIT = 16 * 1024;
/** How much of something that is not HTTP a cause quotes. */
const QUOTE_LENGTH = 20;
const HEAD_START = 'HTTP/1.';
const CURRENT = 'HTTP/1.1';
const HEAD_END = '\r\n\r\n';
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9]\d\d)(?: .*)?\r$/;
const SWITCHING_PROTOCOLS = 101;
const FIRST_FINAL_STATUS = 200;

/**
 * Judges the answer to one probe. Text is latin1, one character per octet, and comes in pieces of any size.
 *
 * Often the verdict is certain before the message is over. It is worth a short wait for more: a failure is explained by
 * the beginning of the body, and a connection can be used again only after the whole message.
 */
export class Answer {
  readonly #check: HealthCheck;
  readonly #keeps: boolean;
  #heads = '';
  /** Where the present head begins; interim ones are before it. */
  #headAt = 0;
  #body: { readonly judge: BodyJudge; readonly payload: Payload; readonly persists: boolean } | null = null;
  #soFar: Verdict | null = null;

  /** @param keeps - whether the connection is to be used again. */
  constructor(check: HealthCheck, keeps = false) {
    this.#check = check;
    this.#keeps = keeps;
  }

  /** @returns null while there is more to wait for. */
  read(text: string): Verdict | null {
    if (this.#body) return this.#readBody(text);
    this.#heads += text;
    return this.#readHeads();
  }

  /** The verdict when nobody waits any longer; null when it is not certain yet. */
  get soFar(): Verdict | null {
    return this.#soFar;
  }

  /** The verdict when the connection ends now. @param reset - by an error, not by a close in order. */
  end(reset: boolean): Verdict {
    if (this.#soFar) return this.#soFar;
    const verdict = this.#body?.payload.mayClose === true && !reset ? this.#body.judge.verdict(true) : null;
    if (verdict) return verdict;
    if (this.#heads !== '') return failed('response cut short');
    return failed(`connection ${reset ? 'reset' : 'closed'} before the response`);
  }

  /** Whether the message is over and its connection waits for another request (RFC 9112, 9.3). */
  get leavesConnection(): boolean {
    return this.#body !== null && this.#body.persists && this.#body.payload.rest === 'none';
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
    const fields = framingFields(this.#heads.slice(this.#headAt, end + 2));
    const payload = payloadOf(status, fields);
    const isLegible = payload !== null && status !== SWITCHING_PROTOCOLS && !fields.isCoded;
    const isExpected = meets(status, this.#check.expect);
    const judge = new BodyJudge(this.#check, { status, isExpected, isLegible });
    if (payload === null)
      return judge.isSearching ? failed('response with an unclear body length') : judge.verdict(true);
    const isBounded = payload.ended || !payload.mayClose;
    const isCurrent = this.#heads.startsWith(CURRENT, this.#headAt);
    const persists = isCurrent && status >= FIRST_FINAL_STATUS && isBounded && !fields.closes;
    this.#body = { judge, payload, persists };
    return this.#readBody(this.#heads.slice(end + HEAD_END.length));
  }

  #readBody(text: string): Verdict | null {
    if (this.#body === null) return null;
    const { judge, payload, persists } = this.#body;
    judge.read(payload.read(text));
    const isOver = payload.ended || judge.isFull;
    const verdict = this.#soFar?.passed === true ? this.#soFar : judge.verdict(isOver);
    if (verdict === null) return payload.broken ? failed('response with broken chunks') : null;
    this.#soFar = verdict;
    const isWaiting = verdict.passed
      ? this.#keeps && persists && !judge.isFull && payload.rest === 'due'
      : judge.isCurious && !isOver && !payload.broken;
    return isWaiting ? null : verdict;
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

function meets(status: number, expect: HealthCheck['expect']): boolean {
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
