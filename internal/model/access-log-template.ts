import { nearest } from './nearest.ts';

/** What a line of the access log can tell of a request. */
const LOG_FIELDS = [
  'time',
  'time.clf',
  'time.local',
  'id',
  'client',
  'request',
  'method',
  'target',
  'path',
  'protocol',
  'host',
  'status',
  'termination',
  'refusal',
  'service',
  'algorithm',
  'upstream',
  'outcome',
  'attempts',
  'queueMs',
  'connectMs',
  'headMs',
  'totalMs',
  'receivedBytes',
  'sentBytes',
  'traceId',
] as const;
export type LogField = (typeof LOG_FIELDS)[number];

/** `header`: of the request; the name is in lower case. */
export type TemplatePiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly name: LogField }
  | { readonly kind: 'header'; readonly name: string };

/** Why a text is no template. */
export interface TemplateFault {
  readonly message: string;
}

/** A brace before anything but a letter is a brace. */
const PLACEHOLDER = /\{([a-z][^{}]*)\}/gi;
const HEADER = /^request\.header:(.*)$/i;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
/** Fields whose values let whoever reads them act for the client. */
const SECRET = new Set(['authorization', 'proxy-authorization', 'cookie']);

/** Reads a format such as `{client} "{request}" {status}`. */
export function parseTemplate(template: string): readonly TemplatePiece[] | TemplateFault {
  const pieces: TemplatePiece[] = [];
  let end = 0;
  for (const match of template.matchAll(PLACEHOLDER)) {
    if (match.index > end) pieces.push({ kind: 'text', text: template.slice(end, match.index) });
    const piece = pieceOf(match[1] ?? '');
    if ('message' in piece) return piece;
    pieces.push(piece);
    end = match.index + match[0].length;
  }
  if (end < template.length) pieces.push({ kind: 'text', text: template.slice(end) });
  return pieces;
}

/** Why values of a header field are not logged; null: they may be. @param name - in any case. */
export function headerFault(name: string): string | null {
  if (!TOKEN.test(name)) return `"${name}" is no name of a header field`;
  return SECRET.has(name.toLowerCase()) ? `${name} carries secrets and is not logged` : null;
}

function pieceOf(name: string): TemplatePiece | TemplateFault {
  const known = LOG_FIELDS.find((field) => field === name);
  if (known !== undefined) return { kind: 'field', name: known };
  const header = HEADER.exec(name)?.[1];
  if (header !== undefined) {
    const message = headerFault(header);
    return message === null ? { kind: 'header', name: header.toLowerCase() } : { message };
  }
  const meant = nearest(name, LOG_FIELDS);
  const hint =
    meant === undefined ? `there are ${LOG_FIELDS.join(', ')} and request.header:NAME` : `did you mean {${meant}}?`;
  return { message: `{${name}} is unknown; ${hint}` };
}
