import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import ejs from 'ejs';
import Koa from 'koa';
import type { Passkey, PasskeyOwner, UsedPasskey } from '../../src/passkeys/index.ts';
import { createAssets } from '../../src/web/http/assets.ts';
import { bareHeaders } from '../../src/web/http/security-headers.ts';
import { icon } from '../../src/web/icons.ts';
import { createFixture, type Fixture } from './fixture.ts';

const viewsDir = resolve(import.meta.dirname, '../../views');
const assets = createAssets(resolve(viewsDir, 'assets'));

const partial = (locals: object): Promise<string> =>
  ejs.renderFile(resolve(viewsDir, 'partials/passkey.ejs'), {
    icon,
    asset: assets.url,
    link: (href: string | undefined) => href,
    ...locals,
  });

const document = (title: string, inner: string): string => `<!doctype html><html lang="en"><title>${title}</title>
<body><h1>${title}</h1><form method="post">${inner}</form></body></html>`;

export interface PasskeyServer extends AsyncDisposable {
  readonly origin: string;
  readonly fixture: Fixture;
  readonly owner: PasskeyOwner;
  /** What the domain made of each answer. */
  readonly results: (Passkey | UsedPasskey | undefined)[];
}

/**
 * A page that signs in and one that adds a passkey, under the headers of the real server. Both halves of each ceremony
 * are the real domain's.
 */
export async function startPasskeyServer(): Promise<PasskeyServer> {
  const koa = new Koa();
  const server = createServer((req, res) => void answer(req, res));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const fixture = await createFixture('pglite', origin);
  const owner = await fixture.newOwner();
  const { passkeys } = fixture;
  const results: (Passkey | UsedPasskey | undefined)[] = [];

  const finish = async (path: string, body: URLSearchParams): Promise<string> => {
    const response = body.get('passkey') ?? undefined;
    const adds = path === '/add';
    const result = adds
      ? await passkeys.finishRegistration(owner, 'page', response, body.get('name') ?? undefined).catch(() => undefined)
      : await passkeys.finishAuthentication('page', response);
    results.push(result);
    const signals = result ? await passkeys.accountSignals(owner) : await passkeys.unknownSignal(response);
    return document(result ? 'Done' : 'Refused', await partial({ signals, options: undefined }));
  };

  const page = async (path: string, query: URLSearchParams): Promise<string | undefined> => {
    if (path === '/add') {
      const quiet = query.has('quiet');
      const options = await passkeys.beginRegistration(owner, 'page', { automatic: quiet });
      const name = '<input name="name" aria-label="Name"><button name="action" value="continue">Go on</button>';
      return document('Add', `${name}${await partial({ kind: 'create', options, quiet, label: 'Add a passkey' })}`);
    }
    if (path !== '/sign-in') return undefined;
    const options = await passkeys.beginAuthentication('page');
    const quiet = query.has('quiet');
    const fresh = query.has('old') ? '/fresh' : undefined;
    const given = query.has('old') ? { ...options, timeout: 1 } : options;
    const fields = `<input name="username" autocomplete="username webauthn" aria-label="Username" required>
<button name="action" value="continue">Continue</button><p hidden data-passkey>or</p>`;
    return document('Sign in', `${fields}${await partial({ options: given, quiet, fresh })}`);
  };

  koa.use(async (ctx, next) => {
    ctx.set(bareHeaders);
    await next();
  });
  koa.use(assets.middleware);
  koa.use(async (ctx) => {
    if (ctx.path === '/fresh') {
      ctx.body = await passkeys.beginAuthentication('page');
      return;
    }
    let body = '';
    for await (const chunk of ctx.req) body += chunk;
    ctx.type = 'html';
    ctx.body =
      ctx.method === 'POST'
        ? await finish(ctx.path, new URLSearchParams(body))
        : await page(ctx.path, ctx.URL.searchParams);
  });

  const answer = koa.callback();

  return {
    origin,
    fixture,
    owner,
    results,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
