import type { ApiField } from '../console-models.ts';
import type { JsonSchema } from './openapi-types.ts';

export type Schemas = Readonly<Record<string, JsonSchema>>;

const prefix = '#/components/schemas/';

/** The schema itself, when this one only refers to it. @throws RangeError for a reference that leads nowhere. */
export function resolve(schema: JsonSchema, schemas: Schemas): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const found = schemas[schema.$ref.slice(prefix.length)];
  if (!schema.$ref.startsWith(prefix) || !found) throw new RangeError(`${schema.$ref} is not in the document.`);
  return found;
}

/** A type in the words of the docs: `string (date)`, `Address`, `list of string`, `one of "a", "b"`. */
export function typeText(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(prefix.length);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeText).join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeText(schema.items) : 'anything'}`;
  const name = typeof schema.type === 'string' ? schema.type : (schema.type ?? ['anything']).join(' or ');
  return schema.format === undefined ? name : `${name} (${schema.format})`;
}

const withDefault = (description: string, schema: JsonSchema): string =>
  schema.default === undefined ? description : `${description} Default: ${JSON.stringify(schema.default)}.`.trim();

/** Fields of any of these; what one of them may do without is not required. */
function fieldsOfAny(choices: readonly JsonSchema[], schemas: Schemas): ApiField[] {
  const lists = choices.map((choice) => fieldsOf(choice, schemas));
  const byName = new Map(lists.flat().map((field) => [field.name, field]));
  return [...byName.values()].map((field) => ({
    ...field,
    required: lists.every((fields) => fields.some(({ name, required }) => name === field.name && required)),
  }));
}

/** The fields of an object schema or of a choice between some; none for anything else. */
export function fieldsOf(given: JsonSchema, schemas: Schemas): ApiField[] {
  const { properties = {}, required = [], anyOf, oneOf } = resolve(given, schemas);
  const choices = anyOf ?? oneOf;
  if (choices) return fieldsOfAny(choices, schemas);
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    type: typeText(schema),
    required: required.includes(name),
    description: withDefault(schema.description ?? resolve(schema, schemas).description ?? '', schema),
  }));
}
