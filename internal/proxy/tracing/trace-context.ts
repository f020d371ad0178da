/** Where in a trace the caller is: W3C Trace Context, level 1, of 6 February 2020. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Of the caller's span; 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether the caller records the trace. */
  readonly sampled: boolean;
}

const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const FIRST_VERSION = '00';
const NO_VERSION = 'ff';
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 1;

/** §3.3.1.3: members that a list may have. */
const MAX_MEMBERS = 32;
/** §3.3.1.5: what must be passed on at least, in characters; we pass on no more, as we keep it with every span. */
const MAX_STATE = 512;
/** The same place: longer members are the first to go. */
const LONG_MEMBER = 128;
/** §3.3.1.3.1 and §3.3.1.3.2: the key, of one party or of a tenant at one, and its value. */
const MEMBER =
  /^(?:[a-z][\da-z_*/-]{0,255}|[\da-z][\da-z_*/-]{0,240}@[a-z][\da-z_*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Reads a `traceparent`; of a version that we do not know, what it has in common with the first (§4.3).
 * @returns null when it is none: a new trace begins then.
 */
export function parseTraceparent(value: string): TraceParent | null {
  const [, version, traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(value) ?? [];
  if (version === undefined || version === NO_VERSION) return null;
  if (version === FIRST_VERSION && rest !== undefined) return null;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** As a field value; §3.2.2.5.2: flags that are not defined are 0. */
export function formatTraceparent({ traceId, spanId, sampled }: TraceParent): string {
  return `${FIRST_VERSION}-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/**
 * What of a `tracestate` is passed on: all of it, as it came, unless it is too long.
 * @param list - the values of all its fields, in order, with commas in between.
 * @returns empty when there is nothing to pass on, or the list is not valid (§3.3).
 */
export function keptTracestate(list: string): string {
  if (list === '') return '';
  const members = list.split(',').map((member) => member.replaceAll(/^[ \t]+|[ \t]+$/g, ''));
  const present = members.filter((member) => member !== '');
  if (present.length > MAX_MEMBERS || !present.every((member) => MEMBER.test(member))) return '';
  return shortened(present);
}

/** Without its long members, and then without its last ones, until the rest is short enough. */
function shortened(members: readonly string[]): string {
  const whole = members.join(',');
  if (whole.length <= MAX_STATE) return whole;
  const short = members.filter((member) => member.length <= LONG_MEMBER);
  while (short.join(',').length > MAX_STATE) short.pop();
  return short.join(',');
}
