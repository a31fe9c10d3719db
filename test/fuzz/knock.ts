import fc from 'fast-check';
import type { Door, Fields } from './doors.ts';
import { contentType, hostileHeader, hostileValue, sharpValues, spoiltForm } from './hostile-values.ts';
import type { Stage } from './stages.ts';

/** One spoilt request. */
export interface Knock {
  readonly door: Door;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
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

const write = (fields: Fields): string => fields.map(([name, value]) => `${name}=${value}`).join('&');

/** Every sharp value in every field of every door, one at a time. */
export function* sweep(doors: readonly Door[]): Generator<Knock> {
  const plain = { type: 'application/x-www-form-urlencoded', headers: [] };
  const spoil = (fields: Fields, at: number, value: string): string =>
    write(fields.map(([name, old], index) => [name, index === at ? value : old] as const));
  for (const door of doors) {
    for (const value of sharpValues) {
      for (const at of door.query.keys()) {
        yield { ...plain, door, path: door.path, method: 'GET', query: spoil(door.query, at, value), body: '' };
      }
      for (const at of door.form?.keys() ?? []) {
        yield { ...plain, door, path: door.path, method: 'POST', query: '', body: spoil(door.form ?? [], at, value) };
      }
    }
  }
}

/** The request as it goes over the wire, in latin1, as somebody at `stage` sends it. */
export function textOf(knock: Knock, host: string, stage: Stage | undefined): string {
  const fill = (text: string): string =>
    text
      .replace(/\{base\}/i, stage?.base ?? '/x')
      .replaceAll('{csrf}', stage?.csrf ?? '')
      .replaceAll('{password}', stage?.password ?? '');
  const { door, method, query, type, headers } = knock;
  const body = method === 'POST' ? fill(knock.body) : '';
  const sent = new Map<string, string>();
  if (stage) sent.set('Cookie', stage.cookies);
  if (door.authorization) sent.set('Authorization', door.authorization);
  for (const [name, value] of headers) sent.set(name, value.replace(/[\r\n]/g, ' '));
  if (body !== '') {
    if (type) sent.set('Content-Type', type);
    sent.set('Content-Length', String(Buffer.byteLength(body, 'latin1')));
  }
  const lines = [...sent].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const target = query ? `${fill(knock.path)}?${query}` : fill(knock.path);
  return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n${body}`;
}
