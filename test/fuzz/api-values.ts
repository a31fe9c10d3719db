import fc from 'fast-check';
import type { JsonSchema, OpenApiDocument } from '../../src/web/api/openapi-types.ts';

type Schemas = OpenApiDocument['components']['schemas'];

const proto = JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":1}}') as unknown;

/** JSON values that no honest client sends. */
export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\udc00x',
    '\u202eabc',
    '\ufeff',
    '\n',
    '__proto__',
    'constructor',
    "' or 1=1; --",
    '<b onload=x>',
    '%00',
    '0',
    '-1',
    '1e999',
    'x'.repeat(200),
    'x'.repeat(5_000),
    'é'.repeat(3_000),
    '💩'.repeat(40),
    0,
    -1,
    0.5,
    2 ** 53,
    1e308,
    -0,
    [],
    {},
    [[[[]]]],
    proto,
    Array.from({ length: 300 }, (_, n) => n),
    Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`f${n}`, n])),
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.jsonValue({ maxDepth: 2 }),
);

function textOf({ pattern, minLength = 0, maxLength = 200, format }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern));
  const least = Number(minLength);
  const most = Math.max(least, Math.min(Number(maxLength), 200));
  return fc.string({ minLength: least, maxLength: most, unit: 'grapheme' });
}

function objectOf({ properties = {}, required = [] }: JsonSchema, schemas: Schemas): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, describedBy(schema, schemas)]),
  );
  return fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
}

/** Values that a schema of the document describes. */
export function describedBy(given: JsonSchema, schemas: Schemas): fc.Arbitrary<unknown> {
  const schema = given.$ref === undefined ? given : (schemas[given.$ref.split('/').at(-1) ?? ''] ?? {});
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((choice) => describedBy(choice, schemas)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object':
      return objectOf(schema, schemas);
    case 'array':
      return fc.array(schema.items ? describedBy(schema.items, schemas) : fc.jsonValue(), { maxLength: 3 });
    case 'string':
      return textOf(schema);
    case 'integer':
    case 'number':
      return fc.integer({ min: Number(schema.minimum ?? -5), max: Number(schema.maximum ?? 1_000) });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

type Path = readonly (string | number)[];

function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...path, key]))];
}

function put(value: unknown, [key, ...rest]: Path, change: (old: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  Object.assign(copy, { [key]: put((value as Record<string | number, unknown>)[key], rest, change) });
  return copy;
}

type Spoil = (value: unknown) => unknown;
const at =
  (index: number, change: (old: unknown) => unknown): Spoil =>
  (value) => {
    const paths = pathsIn(value);
    return put(value, paths[index % paths.length] ?? [], change);
  };

const spoil: fc.Arbitrary<Spoil> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.nat(), hostileJson).map(([index, hostile]) => at(index, () => hostile)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(), fc.constantFrom('admin', '', 'id', 'toString', 'x'.repeat(500)), hostileJson)
      .map(([index, name, hostile]) =>
        at(index, (old) =>
          typeof old === 'object' && old !== null && !Array.isArray(old) ? { ...old, [name]: hostile } : old,
        ),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.nat().map((index) =>
      at(index, (old) => {
        if (typeof old !== 'object' || old === null) return undefined;
        const [first] = Object.keys(old);
        return Object.fromEntries(Object.entries(old).filter(([key]) => key !== first));
      }),
    ),
  },
);

const rawBodies = [
  '',
  '{',
  'null',
  '[]',
  '"x"',
  '7',
  '\ufeff{}',
  '{"a":1,"a":2}',
  '{}',
  '['.repeat(20_000),
  '\\',
  '{"__proto__":{}}',
];

/** Texts of bodies: what is described, spoilt in none to three ways, or nothing like it. */
export const bodyOf = (schema: JsonSchema, schemas: Schemas, example: unknown): fc.Arbitrary<string> => {
  const honest = fc.oneof(fc.constant(example), describedBy(schema, schemas));
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(honest, fc.array(spoil, { maxLength: 3 }))
        .map(([value, spoils]) => JSON.stringify(spoils.reduce((done, next) => next(done), value)) ?? ''),
    },
    { weight: 1, arbitrary: fc.constantFrom(...rawBodies) },
  );
};

const odd = [
  '',
  '0',
  '-1',
  '%00',
  '%zz',
  '%2e%2e%2fx',
  '%F0%9F%92%A9',
  '__proto__',
  'x'.repeat(300),
  '%0d%0aa:b',
  'a%2Fb',
  '1-1',
];

/** One parameter of a path or query, percent-encoded. */
export const parameterOf = (schema: JsonSchema, schemas: Schemas): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 2,
      arbitrary: describedBy(schema, schemas).map((value) => encodeURIComponent(String(value).toWellFormed())),
    },
    { weight: 2, arbitrary: fc.constantFrom(...odd) },
    { weight: 1, arbitrary: fc.string({ maxLength: 40 }).map((text) => encodeURIComponent(text.toWellFormed())) },
  );

/** Headers that change what a request means. */
export const headerOf: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(
    fc.constant('If-Match'),
    fc.constantFrom('*', '"1"', '"0"', 'W/"1"', '"1", "2"', 'x', '"999999999999"', '""'),
  ),
  fc.tuple(fc.constant('Origin'), fc.constantFrom('null', 'https://evil.example', 'x', '')),
  fc.tuple(fc.constant('Sec-Fetch-Site'), fc.constantFrom('cross-site', 'same-site', 'none', 'same-origin', 'x')),
  fc.tuple(fc.constant('X-CSRF-Token'), fc.constantFrom('', 'x', 'x'.repeat(2_000), '\u00ff')),
  fc.tuple(
    fc.constant('Content-Type'),
    fc.constantFrom('text/plain', 'application/json; charset=utf-16', 'application/x-www-form-urlencoded', '/', 'x'),
  ),
  fc.tuple(fc.constant('Content-Encoding'), fc.constantFrom('gzip', 'identity', 'x')),
  fc.tuple(
    fc.constantFrom(
      'Accept',
      'Accept-Language',
      'User-Agent',
      'X-Forwarded-For',
      'Forwarded',
      'Range',
      'DPoP',
      'X-Request-Id',
    ),
    fc.constantFrom('', 'text/html', 'x'.repeat(2_000), '\u00ff\u00fe', '"', '=;', '1.2.3.4', 'bytes=0-1'),
  ),
  fc.tuple(fc.constant('X-HTTP-Method-Override'), fc.constantFrom('DELETE', 'TRACE')),
);
