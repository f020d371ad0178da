import { isIP } from 'node:net';
import { canonical } from '../canonical.ts';

/** A server of a backend, whose address can be set while HAProxy runs. */
export interface Slot {
  readonly name: string;
  /** Null: none yet, or one that is not of IP. */
  readonly address: string | null;
  readonly port: number;
  readonly weight: number;
  readonly state: 'ready' | 'drain' | 'maint';
}

/** Bits of `srv_admin_state` (management guide, `show servers state`): by command, by a tracked server, by name resolution. */
const MAINT = 0x01 | 0x02 | 0x20 | 0x40;
const DRAIN = 0x08 | 0x10;

const STATE_FIELDS = ['srv_name', 'srv_addr', 'srv_admin_state', 'srv_uweight', 'srv_port'] as const;

/** The answer to `show servers state BACKEND`. @returns null when it is none. */
export function parseServerStates(answer: string): Slot[] | null {
  const [version, header = '', ...lines] = answer.split('\n');
  const names = header.replace(/^# /, '').split(' ');
  const columns = STATE_FIELDS.map((field) => names.indexOf(field));
  if (version !== '1' || columns.includes(-1)) return null;
  const slots = lines.filter(Boolean).map((line) => {
    const fields = line.split(' ');
    const [name = '', address = '', admin = '', weight = '', port = ''] = columns.map((column) => fields[column]);
    const numbers = [admin, weight, port].map(Number);
    const [bits = 0] = numbers;
    if (name === '' || !numbers.every(Number.isInteger)) return null;
    return {
      name,
      address: isIP(address) === 0 ? null : canonical(address),
      port: Number(port),
      weight: Number(weight),
      state: stateOf(bits),
    };
  });
  return slots.every((slot) => slot !== null) ? slots : null;
}

/** The answer to `show stat`: what runs on each server or waits for it, by its name. @returns null when it is none. */
export function parseSessions(answer: string): Map<string, number> | null {
  const [header = '', ...lines] = answer.split('\n');
  const names = header.replace(/^# /, '').split(',');
  const [server, running, queued] = ['svname', 'scur', 'qcur'].map((name) => names.indexOf(name));
  if (server === undefined || running === undefined || queued === undefined || server < 0 || running < 0) return null;
  return new Map(
    lines.filter(Boolean).map((line) => {
      const fields = line.split(',');
      return [fields[server] ?? '', Number(fields[running]) + Number(fields[queued] ?? 0)];
    }),
  );
}

function stateOf(bits: number): Slot['state'] {
  if ((bits & MAINT) !== 0) return 'maint';
  return (bits & DRAIN) === 0 ? 'ready' : 'drain';
}
