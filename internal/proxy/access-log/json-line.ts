import type { AttemptRecord, RequestRecord } from '../engine.ts';
import { inJson } from './escape.ts';
import type { FormatLine } from './line-format.ts';
import { RememberedText, rememberingMany } from './remembering.ts';
import { decimal, isoTimestamps } from './timestamps.ts';

/** Of a request that went to no upstream. */
const NO_ATTEMPT = ',"attempts":0,"upstream":null,"connectMs":null,"headMs":null';

/**
 * One object for each request. The last attempt's figures stand beside those of the request; earlier ones, which have failed, are
 * in `failed`. What is as it nearly always is, is left out: `outcome` completed, `weight` 1, no `refusal`. A line is put together
 * of as few pieces as possible, so what hardly differs from one request to the next is remembered.
 * @param headers - names of fields of the request that go in besides.
 */
export function jsonFormat(headers: readonly string[]): FormatLine {
  // Ids consist of letters, digits and a few signs, whoever made them.
  const times = isoTimestamps('{"time":"', '","id":"');
  const client = rememberingMany((address) => `","client":"${inJson(address)}","method":"`);
  const [asked, end, attempt, sizes] = [askedParts(), endParts(), attemptParts(), sizeParts()];
  const names = headers.map((name) => name.toLowerCase());
  return (record) => {
    const { queueMs } = record;
    let line =
      times.of(record.at) +
      record.id +
      client(record.client) +
      asked(record) +
      inJson(record.target) +
      end(record) +
      attempt(record.attempts) +
      (queueMs === 0 ? ',"queueMs":0,"totalMs":' : `,"queueMs":${decimal(queueMs)},"totalMs":`) +
      decimal(record.totalMs) +
      sizes(record);
    if (record.refusal !== undefined) line += `,"refusal":"${inJson(record.refusal)}"`;
    if (record.trace !== null) line += `,"traceId":"${record.trace.traceId}"`; // hexadecimal
    if (names.length > 0) line += headerParts(record, names);
    return `${line}}\n`;
  };
}

/** What the client wants, but for the target. */
function askedParts(): FormatLine {
  let before: Pick<RequestRecord, 'method' | 'host'> | null = null;
  let parts = new RememberedText('');
  return ({ method, host }) => {
    if (before === null || before.method !== method || before.host !== host) {
      before = { method, host };
      parts = new RememberedText(`${inJson(method)}","host":"${inJson(host)}","target":"`);
    }
    return parts.take();
  };
}

/** What became of it. */
function endParts(): FormatLine {
  let before: Pick<RequestRecord, 'protocol' | 'status' | 'termination' | 'service' | 'algorithm'> | null = null;
  let parts = new RememberedText('');
  return ({ protocol, status, termination, service, algorithm }) => {
    const isSame =
      before !== null &&
      before.status === status &&
      before.service === service &&
      before.termination === termination &&
      before.algorithm === algorithm &&
      before.protocol === protocol;
    if (!isSame) {
      before = { protocol, status, termination, service, algorithm };
      const name = service === null ? 'null' : `"${service}"`; // a label
      const how = algorithm === undefined ? '' : `,"algorithm":"${algorithm}"`;
      parts = new RememberedText(
        `","protocol":"${protocol}","status":${status},"termination":"${termination}","service":${name}${how}`,
      );
    }
    return parts.take();
  };
}

function attemptParts(): (attempts: readonly AttemptRecord[]) => string {
  const single = rememberingMany((name) => `,"attempts":1,"upstream":"${inJson(name)}","connectMs":0,"headMs":`);
  return (attempts) => {
    const last = attempts[attempts.length - 1];
    if (last === undefined) return NO_ATTEMPT;
    const { upstream, connectMs, headMs } = last;
    if (attempts.length > 1 || connectMs !== 0 || headMs === null) return allParts(last, attempts);
    return single(upstream) + decimal(headMs) + rareParts(last);
  };
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
