import { isNominable } from '../fields.ts';
import { FIELD, hasName } from './field-kinds.ts';
import type { HeadParser } from './head-parser.ts';
import { trimmed } from './octets.ts';

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
export function connectionOptions(head: HeadParser): ConnectionOptions {
  if (!head.has(FIELD.connection)) return NONE;
  const value = head.all(FIELD.connection);
  return common(value) ?? parsed(value);
}

/** The values that nearly all messages have, so that nothing is made for them. */
function common(value: string): ConnectionOptions | null {
  switch (value.length) {
    case 5:
      return hasName(value, 0, 'close') ? CLOSE : null;
    case 7:
      return hasName(value, 0, 'upgrade') ? UPGRADE : null;
    case 10:
      return hasName(value, 0, 'keep-alive') ? KEEP_ALIVE : null;
    default:
      return null;
  }
}

function parsed(value: string): ConnectionOptions {
  const tokens = new Set(value.split(',').map((token) => trimmed(token).toLowerCase()));
  const nominated = new Set([...tokens].filter(isNominable));
  return {
    close: tokens.has('close'),
    keepAlive: tokens.has('keep-alive'),
    upgrade: tokens.has('upgrade'),
    nominated: nominated.size > 0 ? nominated : null,
  };
}
