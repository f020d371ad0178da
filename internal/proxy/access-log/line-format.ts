import { type LogField, parseTemplate, type TemplatePiece } from '../../model/access-log-template.ts';
import type { RequestRecord } from '../engine.ts';
import { inText } from './escape.ts';
import { jsonFormat } from './json-line.ts';
import { commonTimestamps, decimal, isoTimestamps, localTimestamps } from './timestamps.ts';

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
  const writers = pieces.map(writerOf);
  return (record) => {
    let line = '';
    for (const write of writers) line += write(record);
    return `${line}\n`;
  };
}

function writerOf(piece: TemplatePiece): FormatLine {
  switch (piece.kind) {
    case 'text': {
      const octets = Buffer.from(piece.text, 'utf8').toString('latin1');
      return () => octets;
    }
    case 'header':
      return ({ fields }) => inText(fields?.field(piece.name) ?? '');
    case 'field':
      return isTime(piece.name) ? timeWriter(piece.name) : WRITERS[piece.name];
  }
}

/** Each writer has a memory of its own. */
const TIMES = { time: isoTimestamps, 'time.clf': commonTimestamps, 'time.local': localTimestamps } as const;
type TimeField = keyof typeof TIMES;

function isTime(name: LogField): name is TimeField {
  return name in TIMES;
}

function timeWriter(name: TimeField): FormatLine {
  const times = TIMES[name]();
  return ({ at }) => times.of(at);
}

const WRITERS: Readonly<Record<Exclude<LogField, TimeField>, FormatLine>> = {
  id: ({ id }) => inText(id),
  client: ({ client }) => inText(client),
  request: ({ method, target, protocol }) =>
    protocol === '' ? '-' : `${inText(method)} ${inText(target)} ${protocol}`,
  method: ({ method }) => inText(method),
  target: ({ target }) => inText(target),
  path: ({ target }) => inText(target.slice(0, (target.indexOf('?') + 1 || target.length + 1) - 1)),
  protocol: ({ protocol }) => inText(protocol),
  host: ({ host }) => inText(host),
  status: ({ status }) => String(status),
  termination: ({ termination }) => termination,
  refusal: ({ refusal }) => inText(refusal ?? ''),
  service: ({ service }) => inText(service ?? ''),
  algorithm: ({ algorithm }) => algorithm ?? '-',
  upstream: ({ attempts }) => inText(attempts.at(-1)?.upstream ?? ''),
  outcome: ({ attempts }) => inText(attempts.at(-1)?.outcome ?? ''),
  attempts: ({ attempts }) => String(attempts.length),
  queueMs: ({ queueMs }) => decimal(queueMs),
  connectMs: ({ attempts }) => orDash(attempts.at(-1)?.connectMs),
  headMs: ({ attempts }) => orDash(attempts.at(-1)?.headMs),
  totalMs: ({ totalMs }) => decimal(totalMs),
  receivedBytes: ({ receivedBytes }) => String(receivedBytes),
  sentBytes: ({ sentBytes }) => String(sentBytes),
  traceId: ({ trace }) => trace?.traceId ?? '-',
};

function orDash(milliseconds: number | null | undefined): string {
  return milliseconds === null || milliseconds === undefined ? '-' : decimal(milliseconds);
}
