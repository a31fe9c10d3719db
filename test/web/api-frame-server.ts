import Koa from 'koa';
import { z } from 'zod';
import type { Account } from '../../src/accounts/index.ts';
import type { Caller, CurrentSession } from '../../src/oidc/index.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { AppError } from '../../src/shared/errors.ts';
import { asAccountId, asClientId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { createApiRoutes } from '../../src/web/api/api-routes.ts';
import { createOpenApiDocument } from '../../src/web/api/openapi-document.ts';
import { openToAll, operation, person } from '../../src/web/api/operation.ts';
import { Unprocessable } from '../../src/web/api/unprocessable.ts';
import { createCsrf } from '../../src/web/http/csrf.ts';
import { useEdge } from '../../src/web/http/edge.ts';
import { listen } from '../../src/web/http/server.ts';

const echoed = z.object({ id: z.string(), limit: z.number(), text: z.string().optional(), who: z.string().optional() });
const operations = [
  operation({
    method: 'post',
    path: '/things/{id}',
    id: 'echo',
    tag: 'Account',
    summary: 'Echo',
    access: openToAll,
    params: z.strictObject({ id: z.string().regex(/^[a-z]+$/, 'Small letters only.') }),
    query: z.strictObject({ limit: z.coerce.number('Give a number.').int().max(9).default(3) }),
    body: z.strictObject({ text: z.string(), more: z.strictObject({ deep: z.boolean() }).optional() }),
    replies: {
      201: { description: 'Echo.', body: echoed, headers: { 'X-Echo': 'Yes.' } },
      204: { description: 'None.' },
    },
    handler: async ({ params, query, body }) => {
      if (body.text === 'none') return { status: 204 };
      if (body.text === 'refuse') throw new AppError('conflict', 'Taken.', { fields: { text: 'Taken.' } });
      const reply = { id: params.id, limit: query.limit, text: body.text, secret: 'x' };
      return { status: 201, body: reply, headers: { 'X-Echo': 'yes' } };
    },
  }),
  operation({
    method: 'get',
    path: '/mine',
    id: 'mine',
    tag: 'Account',
    summary: 'Mine',
    access: person('account:read'),
    replies: { 200: { description: 'Mine.', body: echoed } },
    handler: async ({ caller: { account, by } }) => ({
      status: 200,
      body: { id: account.id, limit: 0, who: by.kind === 'app' ? by.clientId : `browser ${by.uid}` },
    }),
  }),
  operation({
    method: 'post',
    path: '/sensitive',
    id: 'sensitive',
    tag: 'Account',
    summary: 'Sensitive',
    access: person('account:security', 'recent'),
    replies: { 204: { description: 'Done.' } },
    handler: async ({ meta }) => {
      if (meta.userAgent === 'late') throw new AppError('not_found', 'There is no such account.');
      return { status: 204 };
    },
  }),
  operation({
    method: 'post',
    path: '/picky',
    id: 'picky',
    tag: 'Account',
    summary: 'Picky',
    access: openToAll,
    headers: z.strictObject({ 'If-Match': z.string('Send it.').regex(/^"\d+"$/, 'Not like this.') }),
    refusals: { unprocessable: 'Always.' },
    replies: { 204: { description: 'Never.' } },
    handler: async ({ headers }) => {
      if (headers['If-Match'] === '"1"') throw new Unprocessable('No.', { fields: { a: 'No.' }, retryAfter: 7 });
      throw new AppError('invalid_input', 'A domain says no.', { fields: { b: 'No.' } });
    },
  }),
  operation({
    method: 'get',
    path: '/broken',
    id: 'broken',
    tag: 'Account',
    summary: 'Broken',
    access: openToAll,
    replies: { 200: { description: 'Never.', body: echoed } },
    handler: async () => ({ status: 200, body: { id: 7 } as never }),
  }),
];

interface Json {
  readonly [name: string]: unknown;
  readonly fields?: Readonly<Record<string, string>>;
}

/** The frame with a few operations of its own, tokens and browsers that tests make up, and one account. */
export async function startFrame() {
  const state = { totp: false };
  const callers = new Map<string, Caller>();
  const browsers = new Map<string, CurrentSession>();
  const app = new Koa();
  let handle = app.callback();
  const http = await listen((req, res) => void handle(req, res), { port: 0, host: '127.0.0.1' });
  const url = `http://127.0.0.1:${http.port}`;
  const csrf = createCsrf({ secrets: new SecretRing(['0'.repeat(32)]), secureCookies: false, issuer: url });
  useEdge(app, {
    issuer: url,
    trustedProxies: [],
    metadataMaxAge: 300,
    popups: false,
    bodyLimit: 65_536,
    clock: systemClock,
    logger: silentLogger(),
    access: silentLogger(),
    renderErrorPage: () => 'page',
  });
  const router = createApiRoutes({
    issuer: url,
    operations,
    document: () => createOpenApiDocument(url, operations),
    tokens: {
      verify: async (token, audience) => (audience === `${url}/api/v1` ? callers.get(token) : undefined),
    },
    useKey: async () => undefined,
    sessions: { handleOf: async () => undefined },
    accounts: { find: async (id) => (id === 'acc_1' ? ({ id, status: 'active' } as Account) : undefined) },
    browser: {
      sessions: {
        current: async (ctx) => browsers.get(ctx.cookies.get('sp_session', { signed: false }) ?? ''),
      },
      csrf,
      renewSession: async () => undefined,
    },
    clock: systemClock,
    hasSecondFactor: async () => state.totp,
    freshSeconds: 600,
    limits: { change: async () => undefined },
  });
  app.use(router.routes() as Koa.Middleware);
  handle = app.callback();

  const call = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${url}/api/v1${path}`, init);
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      json: (text === '' ? {} : JSON.parse(text)) as Json,
    };
  };
  return {
    url,
    state,
    callers,
    browsers,
    call,
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      call(path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    end: () => http.drain({ graceSeconds: 0 }),
  };
}

export type Frame = Awaited<ReturnType<typeof startFrame>>;

export const caller = (extra: Partial<Caller> = {}): Caller => ({
  clientId: asClientId('app_1'),
  accountId: asAccountId('acc_1'),
  scopes: new Set(['account:read']),
  ...extra,
});
