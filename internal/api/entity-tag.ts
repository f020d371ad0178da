import { createHash } from 'node:crypto';
import type { Request } from 'express';
import type { InstanceSettings, ServiceSettings } from '../model/settings.ts';
import { invalid } from './input.ts';

/** 16 octets: nobody finds two settings that share one. */
const TAG_LENGTH = 22;
/** RFC 9110, 8.8.3. */
const LIST = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*$/;
const TAG = /(?:W\/)?"[^"]*"/g;

/** What `If-Match` and `If-None-Match` ask for; any: of whatever state. */
export type WantedTags = 'any' | readonly string[];

/** Strong: equal for equal settings only. */
export function entityTag(settings: ServiceSettings | InstanceSettings): string {
  const digest = createHash('sha256').update(JSON.stringify(settings)).digest('base64url');
  return `"${digest.slice(0, TAG_LENGTH)}"`;
}

/** Null without the field. @throws {HeimdallError} INVALID_REQUEST. */
export function wantedTags(request: Request, field: 'if-match' | 'if-none-match'): WantedTags | null {
  const value = request.headers[field]?.trim();
  if (value === undefined) return null;
  if (value === '*') return 'any';
  if (LIST.test(value)) return value.match(TAG) ?? [];
  const name = field === 'if-match' ? 'If-Match' : 'If-None-Match';
  throw invalid(`header.${name}`, 'expected *, or entity tags in double quotes as in the ETag of an answer');
}

/** The strong comparison of RFC 9110, 8.8.3.2: a weak tag is equal to none. */
export function matchesStrongly(wanted: WantedTags, tag: string): boolean {
  return wanted === 'any' || wanted.includes(tag);
}

export function matchesWeakly(wanted: WantedTags, tag: string): boolean {
  return wanted === 'any' || wanted.some((each) => each.replace(/^W\//, '') === tag);
}
