import type { ExampleRequest } from './description.ts';
import type { Endpoint } from './endpoint.ts';

/** Where the API is called, and how. */
export interface Address {
  /** Such as `http://127.0.0.1:7000`. */
  readonly base: string;
  readonly needsToken: boolean;
}

/** A command to copy; the token, when one is needed, comes from a variable. */
export function curlOf(
  endpoint: Pick<Endpoint, 'method' | 'path' | 'description'>,
  example: ExampleRequest,
  { base, needsToken }: Address,
): string {
  const { method, path, description } = endpoint;
  const { id = '', query, body, accept, isStream = false } = example;
  const url = `${base}${path.replace(':id', encodeURIComponent(id))}${query === undefined ? '' : `?${query}`}`;
  const isTold = method === 'GET' || (method === 'POST' && body !== undefined); // by what is sent along
  return [
    'curl',
    ...(isStream ? ['-N'] : []),
    ...(isTold ? [] : ['-X', method]),
    ...(needsToken && description.isOpen !== true ? ['-H', '"Authorization: Bearer $HEIMDALL_TOKEN"'] : []),
    ...(accept === undefined ? [] : ['-H', `'Accept: ${accept}'`]),
    query === undefined ? url : quoted(url),
    ...(body === undefined ? [] : ['-H', "'Content-Type: application/json'", '-d', quoted(JSON.stringify(body))]),
  ].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
