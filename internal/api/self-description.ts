import type { Request } from 'express';
import { z } from 'zod';
import type { Address } from './curl.ts';
import { type Description, json, text } from './description.ts';
import { type Endpoint, endpoint, NoInput } from './endpoint.ts';
import { helpText } from './help-text.ts';
import { sendJson } from './respond.ts';

export interface SelfDescription {
  /** All that is described, these too. */
  readonly endpoints: () => readonly Endpoint[];
  readonly version: string;
  readonly needsToken: () => boolean;
}

const HELP = {
  tag: 'manager',
  summary: 'Show these commands',
  details: 'A browser gets the dashboard instead.',
  ...NoInput,
  answers: { 200: text('what one can ask of the manager, as commands to copy', 'text/plain') },
  examples: [{}],
} as const satisfies Description;

const OPENAPI = {
  tag: 'manager',
  summary: 'Describe this API as an OpenAPI 3.1 document',
  isOpen: true,
  ...NoInput,
  answers: { 200: json('the document', z.looseObject({ openapi: z.string() }), { openapi: '3.1.1' }) },
  examples: [{}],
} as const satisfies Description;

const DOCS = {
  tag: 'manager',
  summary: 'Describe this API as a page for people',
  isOpen: true,
  ...NoInput,
  answers: { 200: text('the page', 'text/html') },
  examples: [{}],
} as const satisfies Description;

/** `/`, `/openapi.json` and `/docs`: what one can ask of the manager, for people and for machines. */
export function selfDescriptionEndpoints({ endpoints, version, needsToken }: SelfDescription): Endpoint[] {
  const addressOf = (request: Request): Address => {
    return { base: `http://${request.headers.host}`, needsToken: needsToken() };
  };
  const documentFor = async (request: Request) => {
    const { openApiDocument } = await import('./openapi/document.ts'); // not before anybody asks
    return openApiDocument(endpoints(), version, addressOf(request));
  };
  return [
    endpoint('GET', '/', HELP, async (_input, response) => {
      response.type('text/plain').send(helpText(endpoints(), version, addressOf(response.req)));
    }),
    endpoint('GET', '/openapi.json', OPENAPI, async (_input, response) => {
      sendJson(response, await documentFor(response.req));
    }),
    endpoint('GET', '/docs', DOCS, async (_input, response) => {
      const { docsPage } = await import('./docs/docs-page.ts');
      const { html, policy } = docsPage(await documentFor(response.req));
      response.set('Content-Security-Policy', policy).type('html').send(html);
    }),
  ];
}
