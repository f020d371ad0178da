import { readFileSync } from 'node:fs';
import { messageOf } from '../../internal/model/errors.ts';
import { UsageError } from './command-error.ts';
import type { LoadPlan } from '../../pkg/stress-test/run-load.ts';

/** As they stand on the command line. */
export interface StressArguments {
  readonly duration: string;
  readonly connections: string;
  readonly rate?: string;
  readonly method: string;
  readonly header?: readonly string[];
  readonly body?: string;
  readonly timeout: string;
  readonly by?: string;
  readonly report?: readonly string[];
  readonly compare?: string;
  readonly limit: string;
  readonly json: boolean;
}

const MOST_CONNECTIONS = 10_000;
const HIGHEST_RATE = 1_000_000;
const LONGEST_MS = 3_600_000;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
/** The answer to HEAD has no body in spite of its length, which autocannon would wait for; CONNECT and 101 end HTTP. */
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** @throws {UsageError} that names the option. */
export function planOf(target: string, given: StressArguments): LoadPlan {
  const method = given.method.toUpperCase();
  if (!METHODS.includes(method)) throw new UsageError(`--method: expected one of ${METHODS.join(', ')}`);
  if (given.by !== undefined && !TOKEN.test(given.by))
    throw new UsageError(`--by: "${given.by}" is no name of a header, such as X-Server`);
  return {
    url: urlOf(target),
    method,
    headers: Object.fromEntries((given.header ?? []).map(headerOf)),
    body: given.body === undefined ? undefined : bodyOf(given.body),
    connections: wholeNumber('--connections', given.connections, MOST_CONNECTIONS),
    durationMs: milliseconds('--duration', given.duration),
    timeoutMs: milliseconds('--timeout', given.timeout),
    rate: given.rate === undefined ? null : wholeNumber('--rate', given.rate, HIGHEST_RATE),
    by: given.by ?? null,
  };
}

/** By how much a figure may be worse, as a part of what it was. */
export function limitOf(text: string): number {
  if (/^\d{1,4}(\.\d+)?$/.test(text)) return Number(text) / 100;
  throw new UsageError(`--limit: expected percent, such as 10, not "${text}"`);
}

function urlOf(target: string): string {
  const text = target.includes('://') ? target : `http://${target}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '')
    throw new UsageError(
      `"${target}": expected a URL such as http://localhost:8080/, with http: or https:, without a user`,
    );
  url.hash = '';
  return url.href;
}

function headerOf(text: string): readonly [name: string, value: string] {
  const colon = text.indexOf(':');
  const [name, value] = [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
  if (colon > 0 && TOKEN.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return [name, value];
  throw new UsageError(`--header: expected "Name: value", not ${JSON.stringify(text)}`);
}

function bodyOf(text: string): string | Buffer {
  if (!text.startsWith('@')) return text;
  try {
    return readFileSync(text.slice(1));
  } catch (error) {
    throw new UsageError(`--body: ${messageOf(error)}`);
  }
}

function wholeNumber(option: string, text: string, most: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw new UsageError(`${option}: expected a whole number from 1 to ${most}, not "${text}"`);
}

function milliseconds(option: string, text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,7})(ms|s|m)$/.exec(text) ?? [];
  const value = Number(digits) * (UNIT_MS[unit] ?? 0);
  if (value >= 1 && value <= LONGEST_MS) return value;
  throw new UsageError(`${option}: expected a time from 1ms to 60m, such as 500ms or 10s, not "${text}"`);
}
