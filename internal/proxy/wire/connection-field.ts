import { isNominable } from '../fields.ts';
import { FIELD } from './field-kinds.ts';
import type { HeadParser } from './head-parser.ts';

/** What the `Connection` fields of a message say (RFC 9110 §7.6.1). */
export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** Names, in lower case, of the fields that end at this hop; null when there are none. */
  readonly nominated: ReadonlySet<string> | null;
}

const NONE: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, nominated: null };
const CLOSE: ConnectionOptions = { ...NONE, close: true };
const KEEP_ALIVE: ConnectionOptions = { ...NONE, keepAlive: true };
const UPGRADE: ConnectionOptions = { ...NONE, upgrade: true };
/** The values that nearly all messages have, so that nothing is made for them. */
const COMMON: ReadonlyMap<string, ConnectionOptions> = new Map([
  ['close', CLOSE],
  ['Close', CLOSE],
  ['keep-alive', KEEP_ALIVE],
  ['Keep-Alive', KEEP_ALIVE],
  ['Upgrade', UPGRADE],
  ['upgrade', UPGRADE],
]);

export function connectionOptions(head: HeadParser): ConnectionOptions {
  if (!head.has(FIELD.connection)) return NONE;
  let found: string | null = null;
  for (let i = 0; i < head.count; i += 1) {
    if (head.kindOf(i) !== FIELD.connection) continue;
    found = found === null ? head.value(i) : `${found},${head.value(i)}`;
  }
  if (found === null) return NONE;
  return COMMON.get(found) ?? parsed(found);
}

function parsed(value: string): ConnectionOptions {
  const tokens = new Set(value.split(',').map((token) => token.trim().toLowerCase()));
  const nominated = new Set([...tokens].filter(isNominable));
  return {
    close: tokens.has('close'),
    keepAlive: tokens.has('keep-alive'),
    upgrade: tokens.has('upgrade'),
    nominated: nominated.size > 0 ? nominated : null,
  };
}
