import fc from 'fast-check';
import type { Door } from './doors.ts';
import { contentType, hostileHeader, hostileValue, spoiltForm } from './hostile-values.ts';

/** One spoilt request. */
export interface Knock {
  readonly door: Door;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string | undefined;
  readonly type: string;
  readonly headers: readonly (readonly [string, string])[];
}

const methods = fc.oneof(
  { weight: 3, arbitrary: fc.constant('GET') },
  { weight: 6, arbitrary: fc.constant('POST') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'),
  },
);

const targetOf = (path: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(path) },
    {
      weight: 2,
      arbitrary: fc.oneof(
        fc.constantFrom(
          path.toUpperCase(),
          `${path}/`,
          `/${path}`,
          `${path}/..;/x`,
          `${path}%2f`,
          `${path};x=1`,
          path.replaceAll('/', '//'),
        ),
        hostileValue.map((value) => `${path}/${value}`),
      ),
    },
  );

/** Honest requests at these doors, spoilt in a few ways each. */
export const knockAt = (doors: readonly Door[]): fc.Arbitrary<Knock> =>
  fc.constantFrom(...doors).chain((door) =>
    fc.record({
      door: fc.constant(door),
      method: methods,
      path: targetOf(door.path),
      query: spoiltForm(door.query),
      body: spoiltForm(door.form ?? []),
      type: contentType,
      headers: fc.array(hostileHeader, { maxLength: 3 }),
    }),
  );

/** The request as it goes over the wire, in latin1. */
export function textOf({ door, method, path, query, body, type, headers }: Knock, host: string): string {
  const sent = new Map<string, string>();
  if (door.cookies) sent.set('Cookie', door.cookies);
  if (door.authorization) sent.set('Authorization', door.authorization);
  for (const [name, value] of headers) sent.set(name, value.replace(/[\r\n]/g, ' '));
  if (method === 'POST' && body) {
    if (type) sent.set('Content-Type', type);
    sent.set('Content-Length', String(Buffer.byteLength(body, 'latin1')));
  }
  const lines = [...sent].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const target = query ? `${path}?${query}` : path;
  return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n${method === 'POST' ? (body ?? '') : ''}`;
}
