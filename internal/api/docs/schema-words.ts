import { type Html, html, join, prose, raw } from './html.ts';
import { COMPONENTS, type JsonSchema } from '../openapi/schema-book.ts';

/** What a schema allows, in a few words; components are links. */
export function typeOf(schema: JsonSchema): Html {
  const { $ref, anyOf, items, enum: values, const: only } = schema;
  if ($ref !== undefined) return linkTo($ref);
  if (anyOf !== undefined) return either(anyOf.map(typeOf));
  if (values !== undefined) return html`${either(values.map(literal))}${defaultOf(schema)}`;
  if (only !== undefined) return literal(only);
  if (items !== undefined) return html`list of ${typeOf(items)}`;
  const { type = 'anything' } = schema;
  if (type === 'object' && typeof schema.additionalProperties === 'object') {
    return html`object of ${typeOf(schema.additionalProperties)}`;
  }
  const words = typeof type === 'string' ? type : type.join(' or ');
  return html`${words}${rangeOf(schema)}${defaultOf(schema)}`;
}

/** The members of an object; of anything else, what it is. */
export function fieldsTable(schema: JsonSchema): Html {
  const { properties, required = [] } = schema;
  if (properties === undefined) return html`<p>${typeOf(schema)}</p>`;
  const rows = Object.entries(properties).map(([name, field]) => {
    const optional = required.includes(name) ? '' : html` <small>optional</small>`;
    const { description = '' } = field;
    return html`<tr><th scope="row"><code>${name}</code>${optional}</th><td>${typeOf(field)}</td><td>${prose(description)}${nestedIn(field)}</td></tr>`;
  });
  return html`<table><tbody>${join(rows)}</tbody></table>`;
}

/** The members of an object within an object. */
function nestedIn(schema: JsonSchema): Html {
  const { anyOf = [], items, additionalProperties } = schema;
  const inner = typeof additionalProperties === 'object' ? [additionalProperties] : [];
  const objects = [schema, ...anyOf, ...(items ? [items] : []), ...inner];
  return join(objects.filter((each) => each.properties !== undefined).map(fieldsTable));
}

function linkTo(reference: string): Html {
  const name = reference.slice(COMPONENTS.length);
  return html`<a href="#schema-${name}">${name}</a>`;
}

function either(choices: readonly Html[]): Html {
  return raw(choices.map(({ text }) => text).join(' or '));
}

function literal(value: unknown): Html {
  return html`<code>${JSON.stringify(value)}</code>`;
}

function rangeOf({ minimum, maximum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  return minimum === undefined ? '' : `, at least ${minimum}`;
}

function defaultOf({ default: value }: JsonSchema): Html {
  return value === undefined ? raw('') : html`, default ${literal(value)}`;
}
