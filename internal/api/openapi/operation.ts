import { type Address, curlOf } from '../curl.ts';
import type { Answer, Tag } from '../description.ts';
import type { Endpoint } from '../endpoint.ts';
import { possibleProblems } from '../possible-problems.ts';
import { HTTP_STATUS } from '../problem.ts';
import { answeredFieldsOf, fieldsOf } from './header-fields.ts';
import type { JsonSchema, SchemaBook } from './schema-book.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description: string;
  readonly schema: JsonSchema;
}

/** A content of one type; of a stream, what its events are (which OpenAPI 3.1 has no words for). */
export interface Content {
  readonly schema: JsonSchema;
  readonly example?: unknown;
  readonly 'x-events'?: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>>;
}
type Contents = Readonly<Record<string, Content>>;

interface RequestBody {
  readonly required: boolean;
  readonly content: Contents;
}

/** A field in the head of an answer. */
export interface Header {
  readonly description: string;
  readonly schema: JsonSchema;
}

interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  /** None, where there is no body. */
  readonly content?: Contents;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly Tag[];
  readonly summary: string;
  readonly description?: string;
  /** None, where no token is needed. */
  readonly security?: readonly [];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: RequestBody;
  /** By status. */
  readonly responses: Readonly<Record<string, Response>>;
  readonly 'x-codeSamples': readonly { readonly lang: string; readonly label: string; readonly source: string }[];
}

interface Surroundings {
  readonly book: SchemaBook;
  /** Of what tells of a failure. */
  readonly problem: JsonSchema;
  readonly address: Address;
}

/** @param path - as OpenAPI writes it. */
export function operationOf(endpoint: Endpoint, path: string, { book, problem, address }: Surroundings): Operation {
  const { method, description } = endpoint;
  const { tag, summary, details, isOpen, answers, examples } = description;
  const requestBody = requestBodyOf(endpoint, book);
  return {
    operationId: [method.toLowerCase(), ...(path.match(/\w+/g) ?? ['help'])].map(capitalized).join(''),
    tags: [tag],
    summary,
    ...(details === undefined ? {} : { description: details }),
    ...(isOpen === true ? { security: [] } : {}),
    parameters: parametersOf(endpoint, book),
    ...(requestBody === null ? {} : { requestBody }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, responseOf(endpoint, answer, book)]),
      ),
      ...problemsOf(endpoint, problem, address),
    },
    'x-codeSamples': examples.map((example) => ({
      lang: 'Shell',
      label: example.what ?? summary,
      source: curlOf(endpoint, example, address),
    })),
  };
}

function capitalized(word: string, at: number): string {
  return at === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1);
}

function parametersOf(endpoint: Endpoint, book: SchemaBook): Parameter[] {
  const { id, query } = endpoint.description;
  const { properties = {}, required = [] } = book.ofInput(query);
  const inQuery = Object.entries(properties).map(([name, { description = '', ...schema }]): Parameter => {
    return { name, in: 'query', required: required.includes(name), description, schema };
  });
  const others = [...inQuery, ...fieldsOf(endpoint)];
  if (id === undefined) return others;
  const { name, what } = id;
  return [{ name, in: 'path', required: true, description: what, schema: book.ofInput(id.schema) }, ...others];
}

function requestBodyOf({ method, description }: Endpoint, book: SchemaBook): RequestBody | null {
  if (method !== 'POST' && method !== 'PATCH') return null;
  const schema = book.ofInput(description.writtenBody ?? description.body);
  if (Object.keys(schema.properties ?? {}).length === 0) return null;
  const example = description.examples.find(({ body }) => body !== undefined)?.body;
  const content = { schema, ...(example === undefined ? {} : { example }) };
  return { required: (schema.required ?? []).length > 0, content: { 'application/json': content } };
}

function responseOf(endpoint: Endpoint, answer: Answer, book: SchemaBook): Response {
  const headers = answeredFieldsOf(endpoint);
  const content = contentsOf(answer, book);
  return {
    description: answer.what,
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  };
}

function contentsOf({ schema, example, mediaType, events }: Answer, book: SchemaBook): Contents {
  return {
    ...(schema === undefined ? {} : { 'application/json': { schema: book.ofOutput(schema), example } }),
    ...(mediaType === undefined ? {} : { [mediaType]: { schema: { type: 'string' } } }),
    ...(events === undefined ? {} : { 'text/event-stream': streamOf(events, book) }),
  };
}

function streamOf(events: NonNullable<Answer['events']>, book: SchemaBook): Content {
  const described = Object.entries(events).map(([name, { what, schema }]) => {
    return [name, { description: what, schema: schema === undefined ? { type: 'string' } : book.ofOutput(schema) }];
  });
  const names = Object.keys(events).join(', ');
  const description = `Server-sent events: ${names}. Their data is described in x-events.`;
  return { schema: { type: 'string', description }, 'x-events': Object.fromEntries(described) };
}

/** One answer for each status, with the codes that may be in it. */
function problemsOf(endpoint: Endpoint, schema: JsonSchema, { needsToken }: Address): Operation['responses'] {
  const codes = possibleProblems(endpoint).filter((code) => needsToken || code !== 'UNAUTHORIZED');
  const byStatus = Map.groupBy(codes, (code) => HTTP_STATUS[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, own]) => [
      String(status),
      { description: own.map((code) => `\`${code}\``).join(', '), content: { 'application/problem+json': { schema } } },
    ]),
  );
}
