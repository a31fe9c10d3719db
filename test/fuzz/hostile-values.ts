import fc from 'fast-check';

/** A marker that must come back escaped or not at all. */
export const canary = '<b onload=canary>';

/** Already percent-encoded: what a form or query can carry that no browser would send. */
const encoded = [
  '',
  '%00',
  'a%00b',
  '%0d%0aSet-Cookie:%20x=1',
  '%ED%A0%80',
  '%C0%AF',
  '%ff%fe',
  '%',
  '%zz',
  '%E2%80%AE%E2%81%A6',
  '%F0%9F%92%A9',
  encodeURIComponent(canary),
  encodeURIComponent(`"'\`${canary}<%= 7*7 %>{{7*7}}\${7*7}`),
  encodeURIComponent("' or 1=1; drop table account; --"),
  encodeURIComponent('\\x00\\u0000'),
  'javascript%3Aalert(1)',
  encodeURIComponent('https://app.example/cb#f'),
  encodeURIComponent('https://user@app.example@evil.example/cb'),
  encodeURIComponent('//evil.example'),
  encodeURIComponent('http://[::1'),
  encodeURIComponent('{"id_token":{"__proto__":{"x":1}}}'),
  encodeURIComponent('[[[[[[[[[[[[[]'),
  encodeURIComponent('{}'),
  'null',
  'undefined',
  '__proto__',
  'constructor',
  'toString',
  '-1',
  '0',
  '1e400',
  '9'.repeat(400),
  'true',
  'x'.repeat(2_000),
  'x'.repeat(6_000),
  'e30.e30.',
  'eyJhbGciOiJub25lIn0.e30.',
  `${'a'.repeat(600)}.${'b'.repeat(600)}.${'c'.repeat(600)}`,
  'urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code',
  'openid%20offline_access%20openid%20%20',
  'S256',
  'plain',
];

/** The ones that most often find something, for trying each on each field. */
export const sharpValues = [
  '%00',
  '%0d%0aSet-Cookie:%20x=1',
  '%ED%A0%80',
  '%zz',
  encodeURIComponent(`"'\`${canary}<%= 7*7 %>{{7*7}}\${7*7}`),
  encodeURIComponent('{"id_token":{"__proto__":{"x":1}}}'),
  encodeURIComponent('//evil.example'),
  'x'.repeat(6_000),
];

export const hostileValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...encoded) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary', maxLength: 40 }).map((text) => encodeURIComponent(text.toWellFormed())),
  },
  { weight: 1, arbitrary: fc.base64String({ maxLength: 80 }).map(encodeURIComponent) },
);

const odd = ['__proto__', 'constructor', '__proto__%5Bx%5D', 'a%5B%5D', '%00', '', 'client_id%5B%5D', 'x'.repeat(500)];

type Field = readonly [string, string];

/** One way to spoil a list of fields. */
const change: fc.Arbitrary<(fields: readonly Field[]) => readonly Field[]> = fc.oneof(
  fc.tuple(fc.nat(), hostileValue).map(
    ([at, value]) =>
      (fields: readonly Field[]) =>
        fields.map((field, index) =>
          index === at % Math.max(1, fields.length) ? ([field[0], value] as const) : field,
        ),
  ),
  fc
    .nat()
    .map((at) => (fields: readonly Field[]) => fields.filter((_, index) => index !== at % Math.max(1, fields.length))),
  fc.tuple(fc.nat(), hostileValue).map(([at, value]) => (fields: readonly Field[]) => {
    const twin = fields[at % Math.max(1, fields.length)];
    return twin ? [...fields, [twin[0], value] as const] : fields;
  }),
  fc
    .nat()
    .map(
      (at) => (fields: readonly Field[]) =>
        fields.map(
          ([name, value], index) =>
            [index === at % Math.max(1, fields.length) ? name.toUpperCase() : name, value] as const,
        ),
    ),
  fc.tuple(fc.constantFrom(...odd), hostileValue).map(([name, value]) => (fields: readonly Field[]) => [
    ...fields,
    [name, value] as const,
  ]),
  fc
    .nat(200)
    .map((count) => (fields: readonly Field[]) => [
      ...fields,
      ...Array.from({ length: count }, (_, index) => [`f${index}`, 'x'] as const),
    ]),
);

/** Valid fields, spoilt in none to four ways, as `a=b&c=d`. */
export const spoiltForm = (fields: readonly Field[]): fc.Arbitrary<string> =>
  fc.array(change, { maxLength: 4 }).map((changes) =>
    changes
      .reduce((spoilt, spoil) => spoil(spoilt), fields)
      .map(([name, value]) => `${name}=${value}`)
      .join('&'),
  );

const headerText = fc.oneof(
  fc.constantFrom(
    '',
    'null',
    '*',
    'x'.repeat(3_000),
    '\u00ff\u00fe',
    '"',
    '=;=;',
    '\t',
    "' or 1=1",
    '%00',
    canary,
    '9'.repeat(200),
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
);

const basic = (text: string): string => `Basic ${Buffer.from(text, 'latin1').toString('base64')}`;

/** Headers that somebody in between, or somebody hostile, may send. */
export const hostileHeader: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(
    fc.constant('Authorization'),
    fc.oneof(
      fc.constantFrom(
        basic('a:b'),
        basic(':'),
        basic('%00:%zz'),
        basic('\u00ff:\u0000'),
        basic('x'.repeat(3000)),
        'Basic',
        'Basic !!',
        'Bearer',
        'Bearer x y',
        'DPoP e30.e30.e30',
        'Bearer e30.e30.e30',
        'Negotiate x',
      ),
      headerText,
    ),
  ),
  fc.tuple(
    fc.constantFrom('Cookie'),
    fc.oneof(
      fc.constantFrom(
        'sp_csrf=x; sp_csrf=y',
        '__proto__=1',
        '=',
        ';;;',
        `a=${'x'.repeat(5000)}`,
        'a="\\"',
        '_session=%00; _session.sig=%ff',
      ),
      headerText,
    ),
  ),
  fc.tuple(
    fc.constantFrom(
      'Accept',
      'Accept-Language',
      'Accept-Encoding',
      'Origin',
      'Referer',
      'User-Agent',
      'DPoP',
      'Range',
      'If-None-Match',
      'If-Modified-Since',
      'Sec-Fetch-Site',
      'X-Request-Id',
      'Access-Control-Request-Method',
      'Access-Control-Request-Headers',
      'Content-Encoding',
      'Expect',
      'Upgrade',
      'X-HTTP-Method-Override',
      'X-Client-Cert',
    ),
    headerText,
  ),
  fc.tuple(
    fc.constantFrom(
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'X-Real-IP',
      'Forwarded',
      'X-Original-URL',
      'X-Rewrite-URL',
    ),
    fc.oneof(
      fc.constantFrom(
        'evil.example',
        '1.2.3.4',
        `${'1.1.1.1,'.repeat(500)}x`,
        ':::',
        '[',
        'https',
        'for="_x";host=evil.example',
      ),
      headerText,
    ),
  ),
);

export const contentType: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constant('application/x-www-form-urlencoded') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      'application/json',
      'text/plain',
      'multipart/form-data; boundary=',
      'application/x-www-form-urlencoded; charset=utf-16',
      'application/x-www-form-urlencoded;;;',
      '/',
      'x'.repeat(300),
    ),
  },
);
