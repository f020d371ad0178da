import { z } from 'zod';

/** A JSON schema (draft 2020-12), as OpenAPI 3.1 takes it; its references lead to the components. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly additionalProperties?: boolean | JsonSchema;
}

export const COMPONENTS = '#/components/schemas/';

/** Makes JSON schemas of the schemas that check and type what goes in and out; those that have an `id` become components. */
export class SchemaBook {
  readonly #components = new Map<string, JsonSchema>();

  /** Of what a client sends. */
  ofInput(schema: z.ZodType): JsonSchema {
    return this.#convert(schema, 'input');
  }

  /** Of what a client gets: later versions may tell more, so that unknown members are no fault. */
  ofOutput(schema: z.ZodType): JsonSchema {
    return this.#convert(schema, 'output');
  }

  get components(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#components].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #convert(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const made = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
        tellDefault(zodSchema._zod.def, jsonSchema);
        omitNoise(jsonSchema);
      },
    });
    const text = JSON.stringify(made).replaceAll('"#/$defs/', `"${COMPONENTS}`);
    const { $schema: _draft, $defs = {}, ...own } = JSON.parse(text);
    for (const [id, component] of Object.entries<JsonSchema>($defs)) this.#components.set(id, component);
    return own;
  }
}

/** Also of what goes in as text and comes out as something else, which the conversion leaves out. */
function tellDefault(def: object, schema: z.core.JSONSchema.BaseSchema): void {
  if (!('defaultValue' in def)) return;
  const isText = schema.type === 'integer' && typeof def.defaultValue === 'string';
  schema.default = isText ? Number(def.defaultValue) : def.defaultValue;
}

/** The bounds of what a number holds exactly, and patterns of formats that have a name. */
function omitNoise(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.format !== undefined) delete schema.pattern;
}
