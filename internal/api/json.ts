import { messageOf } from '../model/errors.ts';

/** @throws {SyntaxError} naming line and column. */
export function parseJson(text: string): unknown {
  const fault = faultOf(text);
  if (fault === undefined) return JSON.parse(text);
  const before = text.slice(0, positionOf(text, fault)).split('\n');
  const what = fault.replace(/ in JSON at position.*$|, .* is not valid JSON$| JSON input$/s, '');
  throw new SyntaxError(`line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${what}`);
}

function faultOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The parser tells the position of most faults, but not of an unexpected token: the shortest prefix that has one ends there. */
function positionOf(text: string, fault: string): number {
  const told = /at position (\d+)/.exec(fault)?.[1];
  if (told !== undefined) return Number(told);
  if (!isUnexpectedToken(fault)) return text.length;
  let [sound, faulty] = [0, text.length];
  while (faulty - sound > 1) {
    const middle = (sound + faulty) >> 1;
    if (isUnexpectedToken(faultOf(text.slice(0, middle)) ?? '')) faulty = middle;
    else sound = middle;
  }
  return sound;
}

function isUnexpectedToken(fault: string): boolean {
  return fault.endsWith('is not valid JSON');
}
