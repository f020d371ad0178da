import { METHODS } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { Message, Reading } from './reading.ts';

/** Where the wire parser is right though Node's refuses, stops, or says otherwise. */
interface Exception {
  /** What is not compared: all from this message on, or whether the connection lasts. */
  readonly about: 'all' | 'keepAlive';
  readonly section: string;
  readonly reason: string;
  /** @param message - as the wire parser read it. */
  covers(message: Message): boolean;
}

const FRAMING = /^(content-length|transfer-encoding)$/i;

export const EXCEPTIONS: readonly Exception[] = [
  {
    about: 'all',
    section: 'RFC 9110 §9.1',
    reason: 'Methods are open-ended, and a proxy passes on those that it does not know; Node has a closed list.',
    covers: ({ startLine: [method] }) => !METHODS.includes(method) && !/^\d{3}$/.test(method),
  },
  {
    about: 'all',
    section: 'RFC 9110 §7.8',
    reason: 'An upgrade may be ignored, and then the connection goes on as it is; Node reads nothing behind it.',
    covers: ({ fields }) => hasField(fields, /^upgrade$/i),
  },
  {
    about: 'all',
    section: 'RFC 9112 §9.6',
    reason:
      'After an interim response that says close, or comes as HTTP/1.0, there is still the final one; Node hangs up.',
    covers: ({ startLine: [status, , minor], fields }) =>
      /^1\d\d$/.test(status) && (minor === 0 || hasField(fields, /^connection$/i)),
  },
  {
    about: 'all',
    section: 'RFC 9110 §6.5.1',
    reason: 'A trailer field cannot say how the connection goes on, and is not relayed; Node obeys it.',
    covers: ({ trailerSection }) => /^connection:/im.test(trailerSection),
  },
  {
    about: 'keepAlive',
    section: 'RFC 9112 §9.3',
    reason: 'In HTTP/1.0, too, close counts for more than keep-alive; for Node it is the other way round.',
    covers: ({ startLine: [, , minor], fields, keepAlive }) =>
      minor === 0 && !keepAlive && hasField(fields, /^connection$/i),
  },
  {
    about: 'keepAlive',
    section: 'RFC 9112 §6.3, §9.3',
    reason: 'The answer to HEAD ends with its head and needs no length; Node decides before it knows of the method.',
    covers: ({ fields, complete }) => complete === 'yes' && !hasField(fields, FRAMING),
  },
];

/**
 * Compares what the two made of the same octets: whatever both accept they must read alike, and the wire parser must
 * accept nothing that Node's refuses, but for the exceptions.
 * @returns what is wrong, or null.
 */
export function disagreement(wire: Reading, node: Reading): string | null {
  for (const [i, ours] of wire.messages.entries()) {
    if (isException('all', ours)) return null;
    const theirs = node.messages[i];
    const problem =
      theirs === undefined ? `only the wire parser accepts it: ${shown(ours)}` : difference(wire, ours, theirs);
    if (problem !== null) return `message ${i}: ${problem}; Node ends with ${JSON.stringify(node.ending)}`;
  }
  const next = node.messages[wire.messages.length];
  if (wire.ending !== 'open' || next === undefined) return null;
  return `message ${wire.messages.length}: Node has a whole head where the wire parser waits for more: ${shown(next)}`;
}

function difference(wire: Reading, ours: Message, theirs: Message): string | null {
  if (!isDeepStrictEqual(ours.startLine, theirs.startLine))
    return `start lines differ: ${both(ours.startLine, theirs.startLine)}`;
  if (!isDeepStrictEqual(ours.fields, theirs.fields)) return `fields differ: ${both(ours.fields, theirs.fields)}`;
  const isLast = wire.messages.at(-1) === ours;
  if (isLast && typeof wire.ending === 'object' && ours.complete === 'no') return null;
  if (ours.complete !== theirs.complete) return `only one reads a whole body: ${both(ours.complete, theirs.complete)}`;
  if (ours.body !== theirs.body) return `bodies differ: ${both(ours.body, theirs.body)}`;
  if (!isDeepStrictEqual(ours.trailers, theirs.trailers))
    return `trailers differ: ${both(ours.trailers, theirs.trailers)}`;
  if (ours.keepAlive === theirs.keepAlive || isException('keepAlive', ours)) return null;
  return `keep-alive differs: ${both(ours.keepAlive, theirs.keepAlive)}`;
}

function hasField(fields: readonly string[], name: RegExp): boolean {
  return fields.some((text, i) => i % 2 === 0 && name.test(text));
}

function isException(about: Exception['about'], message: Message): boolean {
  return EXCEPTIONS.some((exception) => exception.about === about && exception.covers(message));
}

function both(ours: unknown, theirs: unknown): string {
  return `wire ${JSON.stringify(ours)}, Node ${JSON.stringify(theirs)}`;
}

function shown(message: Message): string {
  return JSON.stringify(message);
}
