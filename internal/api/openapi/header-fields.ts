import type { Endpoint } from '../endpoint.ts';
import type { Header, Parameter } from './operation.ts';

const ACTOR = field('Heimdall-Actor', 'Who does it, as the audit shows it; a claim that nobody checks.', 64);
const KEY = field(
  'Idempotency-Key',
  'The same request with the same key is not done again: it gets the same answer.',
  255,
);
const IF_MATCH = field('If-Match', 'Only while the `ETag` is still one of these, else 412; `*`: whatever it is.');
const IF_NONE_MATCH = field('If-None-Match', 'Only if the `ETag` is none of these any more, else 304.');

/** The header fields that an endpoint heeds. */
export function fieldsOf({ method, description }: Endpoint): Parameter[] {
  const isConditional = description.conditional === true;
  if (method === 'GET') return isConditional ? [IF_NONE_MATCH] : [];
  return [...(isConditional ? [IF_MATCH] : []), ...(method === 'POST' ? [KEY] : []), ACTOR];
}

const ETAG: Header = {
  description: 'Of what can be set: equal as long as that is equal, whatever happens otherwise.',
  schema: { type: 'string' },
};
const REPLAYED: Header = {
  description: 'The request with this Idempotency-Key was carried out before, and this is the answer of then.',
  schema: { type: 'string', const: 'true' },
};

/** The header fields of the answers of an endpoint. */
export function answeredFieldsOf({ method, description }: Endpoint): Readonly<Record<string, Header>> {
  if (method === 'POST') return { 'Idempotent-Replayed': REPLAYED };
  return description.conditional === true && method !== 'DELETE' ? { ETag: ETAG } : {};
}

function field(name: string, description: string, maxLength?: number): Parameter {
  const schema = { type: 'string', ...(maxLength === undefined ? {} : { minLength: 1, maxLength }) };
  return { name, in: 'header', required: false, description, schema };
}
