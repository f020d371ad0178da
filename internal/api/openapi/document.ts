import { ProblemViewSchema } from '../../model/problem-view.ts';
import type { Address } from '../curl.ts';
import { TAGS } from '../description.ts';
import type { Endpoint } from '../endpoint.ts';
import { type Operation, operationOf } from './operation.ts';
import { type JsonSchema, SchemaBook } from './schema-book.ts';

const DESCRIPTION = `Starts, drains, deploys and shows the instances of services; the load balancers follow.

What fails is told as \`application/problem+json\` (RFC 9457): \`detail\` says what was wrong, where, and what to do, \`code\` is stable. Answers may get more members in later versions; what is sent may not have unknown ones.`;

/** OpenAPI 3.1, as far as it is used here. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
}

/** The whole API as an OpenAPI document, made of what its endpoints tell and check. */
export function openApiDocument(endpoints: readonly Endpoint[], version: string, address: Address): OpenApiDocument {
  const book = new SchemaBook();
  const problem = book.ofOutput(ProblemViewSchema);
  const paths: Record<string, Record<string, Operation>> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(':id', `{${endpoint.description.id?.name}}`);
    const operations = (paths[path] ??= {});
    operations[endpoint.method.toLowerCase()] = operationOf(endpoint, path, { book, problem, address });
  }
  return {
    openapi: '3.1.1',
    info: { title: 'heimdall: the server manager', version, description: DESCRIPTION },
    servers: [{ url: address.base }],
    security: address.needsToken ? [{ token: [] }] : [],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: book.components,
      securitySchemes: address.needsToken ? { token: { type: 'http', scheme: 'bearer' } } : {},
    },
  };
}
