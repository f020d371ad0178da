import { type Address, curlOf } from './curl.ts';
import type { Endpoint } from './endpoint.ts';

/** What one can ask of the manager, as commands to copy. */
export function helpText(endpoints: readonly Endpoint[], version: string, address: Address): string {
  const blocks = endpoints.map((endpoint) => {
    const { summary, examples } = endpoint.description;
    return examples
      .map(
        (example) =>
          `${lineOf(example.what ?? `${summary}${alsoOf(endpoint)}`)}\n  ${curlOf(endpoint, example, address)}\n`,
      )
      .join('');
  });
  return `heimdall ${version}: the server manager; a page of this with all details: ${address.base}/docs\n\n${blocks.join('')}`;
}

function lineOf(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** What can be sent along that the first example does not show. */
function alsoOf({ description: { query, body, examples } }: Endpoint): string {
  const [{ query: shownQuery = '', body: shownBody = {} }] = examples;
  const shown = new URLSearchParams(shownQuery);
  const also = [
    ...Object.keys(body.shape).filter((name) => !(name in shownBody)),
    ...Object.keys(query.shape)
      .filter((name) => !shown.has(name))
      .map((name) => `?${name}=`),
  ];
  return also.length === 0 ? '' : `; also: ${also.join(', ')}`;
}
