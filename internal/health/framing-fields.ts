/** What the fields of a response say about its body and its connection. Names are compared without regard to case. */
export interface FramingFields {
  /** Of each such field, without the white space around it. */
  readonly codings: readonly string[];
  readonly lengths: readonly string[];
  /** `Connection: close`, alone or among others. */
  readonly closes: boolean;
  /** The body is coded, such as by gzip. */
  readonly isCoded: boolean;
}

/** The names begin with one of these letters, which most others do not: a check reads hundreds of heads a second. */
const C = 0x63;
const T = 0x74;
const LOWER_CASE = 0x20;
const CLOSES = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;

/** @param fields - latin1, each with its CRLF. What does not end so is no field. */
export function framingFields(fields: string): FramingFields {
  const codings: string[] = [];
  const lengths: string[] = [];
  let closes = false;
  let isCoded = false;
  for (let start = 0; start < fields.length; ) {
    const newline = fields.indexOf('\n', start);
    const end = newline === -1 ? fields.length : newline;
    const first = fields.charCodeAt(start) | LOWER_CASE;
    if ((first === C || first === T) && fields[end - 1] === '\r') {
      const colon = fields.indexOf(':', start);
      const value = trimmed(fields, colon + 1, end - 1);
      switch (fields.slice(start, colon).toLowerCase()) {
        case 'transfer-encoding':
          codings.push(value);
          break;
        case 'content-length':
          lengths.push(value);
          break;
        case 'connection':
          closes ||= CLOSES.test(value);
          break;
        case 'content-encoding':
          isCoded ||= !/^(?:identity)?$/i.test(value);
          break;
      }
    }
    start = end + 1;
  }
  return { codings, lengths, closes, isCoded };
}

/** Without the spaces and tabs around it, the only white space of HTTP. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
