import type { AttemptRecord, RequestRecord } from '../engine.ts';
import { inJson } from './escape.ts';
import type { FormatLine } from './line-format.ts';
import { RecentTexts, RememberedText } from './remembering.ts';
import { decimal, decimalsBetween, isoTimestamps } from './timestamps.ts';

/** Of a request that went to no upstream. */
const NO_ATTEMPT = ',"attempts":0,"upstream":null,"connectMs":null,"headMs":null';
const NO_QUEUE = ',"queueMs":0,"totalMs":';

/**
 * One object for each request. The last attempt's figures stand beside those of the request; earlier ones, which have failed, are
 * in `failed`. What is as it nearly always is, is left out: `outcome` completed, `weight` 1, no `refusal`. A line is put together
 * of as few pieces as possible, so what hardly differs from one request to the next is remembered.
 * @param headers - names of fields of the request that go in besides.
 */
export function jsonFormat(headers: readonly string[]): FormatLine {
  // Ids consist of letters, digits and a few signs, whoever made them.
  const times = isoTimestamps('{"time":"', '","id":"');
  const [asked, answered, sizes] = [askedParts(), answeredParts(), sizeParts()];
  const headMs = decimalsBetween('', NO_QUEUE);
  const names = headers.map((name) => name.toLowerCase());
  return (record) => {
    const { attempts, queueMs } = record;
    let line = times.of(record.at) + record.id + asked(record) + inJson(record.target);
    const attempt = queueMs === 0 ? usual(attempts) : null;
    if (attempt === null) line += endParts(record) + attemptParts(attempts) + queueParts(queueMs);
    else line += answered(record, attempt.upstream) + headMs(attempt.headMs);
    line += decimal(record.totalMs) + sizes(record);
    if (record.refusal !== undefined) line += `,"refusal":"${inJson(record.refusal)}"`;
    if (record.trace !== null) line += `,"traceId":"${record.trace.traceId}"`; // hexadecimal
    if (names.length > 0) line += headerParts(record, names);
    return `${line}}\n`;
  };
}

interface UsualAttempt {
  readonly upstream: string;
  readonly headMs: number;
}

/** The only attempt, if it was over a kept connection and there is nothing special to tell of it. */
function usual(attempts: readonly AttemptRecord[]): UsualAttempt | null {
  const [attempt] = attempts;
  if (attempts.length !== 1 || attempt === undefined) return null;
  const { connectMs, headMs, weight, outcome, upstream } = attempt;
  return connectMs === 0 && headMs !== null && weight === 1 && outcome === 'completed' ? { upstream, headMs } : null;
}

/** Who wants what, but for the target. */
function askedParts(): FormatLine {
  const texts = new RecentTexts<Pick<RequestRecord, 'method' | 'host'>>();
  return ({ client, method, host }) => {
    const known = texts.get(client);
    if (known !== undefined && known.of.method === method && known.of.host === host) return known.text.take();
    const text = `","client":"${inJson(client)}","method":"${inJson(method)}","host":"${inJson(host)}","target":"`;
    return texts.remember(client, { method, host }, text);
  };
}

type End = Pick<RequestRecord, 'protocol' | 'status' | 'termination' | 'service' | 'algorithm'>;

/** What became of a request whose only attempt was a usual one, up to the time of the response's head. */
function answeredParts(): (record: RequestRecord, upstream: string) => string {
  const texts = new RecentTexts<End>();
  return (record, upstream) => {
    const known = texts.get(upstream);
    if (known !== undefined && isSameEnd(known.of, record)) return known.text.take();
    const { protocol, status, termination, service, algorithm } = record;
    const text = `${endParts(record)},"attempts":1,"upstream":"${inJson(upstream)}","connectMs":0,"headMs":`;
    return texts.remember(upstream, { protocol, status, termination, service, algorithm }, text);
  };
}

function isSameEnd(one: End, other: End): boolean {
  return (
    one.status === other.status &&
    one.service === other.service &&
    one.termination === other.termination &&
    one.algorithm === other.algorithm &&
    one.protocol === other.protocol
  );
}

/** What became of it. */
function endParts({ protocol, status, termination, service, algorithm }: End): string {
  const name = service === null ? 'null' : `"${service}"`; // a label
  const how = algorithm === undefined ? '' : `,"algorithm":"${algorithm}"`;
  return `","protocol":"${protocol}","status":${status},"termination":"${termination}","service":${name}${how}`;
}

function queueParts(queueMs: number): string {
  return queueMs === 0 ? NO_QUEUE : `,"queueMs":${decimal(queueMs)},"totalMs":`;
}

function attemptParts(attempts: readonly AttemptRecord[]): string {
  const last = attempts[attempts.length - 1];
  return last === undefined ? NO_ATTEMPT : allParts(last, attempts);
}

function sizeParts(): FormatLine {
  let [received, sent] = [-1, -1];
  let parts = new RememberedText('');
  return ({ receivedBytes, sentBytes }) => {
    if (receivedBytes !== received || sentBytes !== sent) {
      [received, sent] = [receivedBytes, sentBytes];
      parts = new RememberedText(`,"receivedBytes":${receivedBytes},"sentBytes":${sentBytes}`);
    }
    return parts.take();
  };
}

/** @param attempts - all of them; of those before the last, what is to know of failures. */
function allParts(last: AttemptRecord, attempts: readonly AttemptRecord[]): string {
  const parts =
    `,"attempts":${attempts.length},"upstream":"${inJson(last.upstream)}","connectMs":${orNull(last.connectMs)}` +
    `,"headMs":${orNull(last.headMs)}${rareParts(last)}`;
  if (attempts.length === 1) return parts;
  const failed = attempts
    .slice(0, -1)
    .map(
      (attempt) =>
        `{"upstream":"${inJson(attempt.upstream)}","afterMs":${decimal(attempt.afterMs)}` +
        `,"connectMs":${orNull(attempt.connectMs)},"totalMs":${decimal(attempt.totalMs)}${rareParts(attempt)}}`,
    );
  return `${parts},"afterMs":${decimal(last.afterMs)},"failed":[${failed.join(',')}]`;
}

function rareParts({ outcome, weight }: AttemptRecord): string {
  const parts = weight === 1 ? '' : `,"weight":${weight}`;
  return outcome === 'completed' ? parts : `${parts},"outcome":"${inJson(outcome)}"`;
}

function headerParts({ fields }: RequestRecord, names: readonly string[]): string {
  const parts = names.flatMap((name) => {
    const value = fields?.field(name);
    return value === undefined ? [] : [`"${inJson(name)}":"${inJson(value)}"`];
  });
  return `,"headers":{${parts.join(',')}}`;
}

function orNull(milliseconds: number | null): string {
  return milliseconds === null ? 'null' : decimal(milliseconds);
}
