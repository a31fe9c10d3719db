import { z } from 'zod';
import type { JsonSchema } from './openapi-types.ts';

type Mutable = Record<string, unknown>;

/** Bounds that only say "safe integer" say nothing to a reader, and answers may gain fields. */
function tidy(schema: Mutable, io: 'input' | 'output'): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (io === 'output') delete schema.additionalProperties;
}

/** Points references at the components of the document that the schema will stand in. */
function relocate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relocate);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string'
        ? inner.replace('#/$defs/', '#/components/schemas/')
        : relocate(inner),
    ]),
  );
}

/**
 * A zod schema as JSON Schema 2020-12, which OpenAPI 3.1 uses as it is. Schemas with an `id` in their metadata become
 * components: they are added to `components`, and what is returned refers to them.
 */
export function toJsonSchema(
  schema: z.ZodType,
  io: 'input' | 'output',
  components: Record<string, JsonSchema>,
): JsonSchema {
  const made = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => tidy(jsonSchema as Mutable, io),
  });
  const { $schema: _dialect, $defs = {}, ...rest } = made;
  for (const [id, definition] of Object.entries($defs)) components[id] = relocate(definition) as JsonSchema;
  return relocate(rest) as JsonSchema;
}
