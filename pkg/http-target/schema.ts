import { z } from 'zod';

/** Where something is sent by HTTP. @param expected - what anybody reads who gives no such URL. */
export function targetUrl(expected: string) {
  return z
    .url({ protocol: /^https?$/, error: expected })
    .refine((url) => !hasCredentials(url), 'expected no user and password in the URL; use "headers"');
}

/** Header fields that are sent along. @param own - names of those that heimdall sets. */
export function sentHeaders(own: RegExp) {
  return z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'not a header name')
        .refine((name) => !own.test(name), 'this header is set by heimdall'),
      z.string().regex(/^[\t\x20-\x7e\u0080-\u00ff]*$/, 'not a header value'),
    )
    .default({});
}

function hasCredentials(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && (parsed.username !== '' || parsed.password !== '');
}
