import { type LogField, parseTemplate, type TemplatePiece } from '../../model/access-log-template.ts';
import type { AttemptRecord, RequestRecord } from '../engine.ts';
import { inText } from './escape.ts';
import { jsonFormat } from './json-line.ts';
import { remembering, rememberingMany } from './remembering.ts';
import { commonTimestamps, decimalsBetween, isoTimestamps, localTimestamps, type Timestamps } from './timestamps.ts';

/** Writes the line of a request, with its end: ASCII, and one line, whatever the client has sent. */
export type FormatLine = (record: RequestRecord) => string;

export interface LineSettings {
  /** `json`, `common`, `combined`, or a template. */
  readonly format: string;
  /** Header fields of the request that JSON lines have besides. */
  readonly headers: readonly string[];
}

/** What a person who watches wants to know. */
export const TERMINAL_FORMAT = '[{time.local}] {status} {method} {target} {upstream} {totalMs} ms {termination}';

const COMMON = '{client} - - [{time.clf}] "{request}" {status} {sentBytes}';
const TEMPLATES: Readonly<Record<string, string>> = {
  common: COMMON,
  combined: `${COMMON} "{request.header:referer}" "{request.header:user-agent}"`,
};

/** @throws when the format is neither the name of one nor a template: it was not checked. */
export function lineFormat({ format, headers }: LineSettings): FormatLine {
  return format === 'json' ? jsonFormat(headers) : templateFormat(TEMPLATES[format] ?? format);
}

function templateFormat(template: string): FormatLine {
  const pieces = parseTemplate(template);
  if ('message' in pieces) throw new Error(pieces.message);
  const writers: FormatLine[] = [];
  let before = '';
  for (const piece of pieces) {
    if (piece.kind === 'text') {
      before = Buffer.from(piece.text, 'utf8').toString('latin1');
    } else {
      writers.push(writerOf(piece, before));
      before = '';
    }
  }
  const end = `${before}\n`;
  return (record) => {
    let line = '';
    for (const write of writers) line += write(record);
    return line + end;
  };
}

/** @param before - the text that goes before it. */
function writerOf(piece: FieldPiece, before: string): FormatLine {
  if (piece.kind === 'header') {
    const text = remembering((value: string) => before + inText(value));
    return ({ fields }) => text(fields?.field(piece.name) ?? '');
  }
  return WRITERS[piece.name](before);
}

type FieldPiece = Exclude<TemplatePiece, { kind: 'text' }>;
/** Makes a writer of a field, which has a memory of its own. @param before - what it writes first. */
type MakeWriter = (before: string) => FormatLine;

const WRITERS: Readonly<Record<LogField, MakeWriter>> = {
  time: (before) => timeWriter(isoTimestamps(before)),
  'time.clf': (before) => timeWriter(commonTimestamps(before)),
  'time.local': (before) => timeWriter(localTimestamps(before)),
  id: changing(({ id }) => (id === '' ? '-' : id)), // letters, digits and a few signs, whoever made it
  client: oneOfMany(({ client }) => client),
  request: requestWriter,
  method: steady(({ method }) => method),
  target: changing(({ target }) => inText(target)),
  path: changing(({ target }) => inText(target.slice(0, (target.indexOf('?') + 1 || target.length + 1) - 1))),
  protocol: steady(({ protocol }) => protocol),
  host: steady(({ host }) => host),
  status: steady(({ status }) => status),
  termination: steady(({ termination }) => termination),
  refusal: steady(({ refusal }) => refusal ?? ''),
  service: steady(({ service }) => service ?? ''),
  algorithm: steady(({ algorithm }) => algorithm ?? ''),
  upstream: oneOfMany(({ attempts }) => lastOf(attempts)?.upstream ?? ''),
  outcome: steady(({ attempts }) => lastOf(attempts)?.outcome ?? ''),
  attempts: steady(({ attempts }) => attempts.length),
  queueMs: duration(({ queueMs }) => queueMs),
  connectMs: duration(({ attempts }) => lastOf(attempts)?.connectMs),
  headMs: duration(({ attempts }) => lastOf(attempts)?.headMs),
  totalMs: duration(({ totalMs }) => totalMs),
  receivedBytes: steady(({ receivedBytes }) => receivedBytes),
  sentBytes: steady(({ sentBytes }) => sentBytes),
  traceId: changing(({ trace }) => trace?.traceId ?? '-'),
};

/** Of what differs from request to request. */
function changing(write: FormatLine): MakeWriter {
  return (before) => (before === '' ? write : (record) => before + write(record));
}

/** Of milliseconds; none are a dash. */
function duration(valueOf: (record: RequestRecord) => number | null | undefined): MakeWriter {
  return (before) => {
    const text = decimalsBetween(before, '');
    const none = `${before}-`;
    return (record) => {
      const milliseconds = valueOf(record);
      return milliseconds === null || milliseconds === undefined ? none : text(milliseconds);
    };
  };
}

/** Of what is mostly as in the request before. */
function steady(valueOf: (record: RequestRecord) => string | number): MakeWriter {
  return (before) => {
    const text = remembering((value: string | number) => before + inText(String(value)));
    return (record) => text(valueOf(record));
  };
}

/** Of what is one of some hundred. */
function oneOfMany(valueOf: (record: RequestRecord) => string): MakeWriter {
  return (before) => {
    const text = rememberingMany((value) => before + inText(value));
    return (record) => text(valueOf(record));
  };
}

function timeWriter(times: Timestamps): FormatLine {
  return ({ at }) => times.of(at);
}

function requestWriter(before: string): FormatLine {
  const start = remembering((method: string) => `${before}${inText(method)} `);
  const end = remembering((protocol: string) => ` ${protocol}`);
  return ({ method, target, protocol }) =>
    protocol === '' ? `${before}-` : start(method) + inText(target) + end(protocol);
}

function lastOf(attempts: RequestRecord['attempts']): AttemptRecord | undefined {
  return attempts[attempts.length - 1];
}
