import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import Router from '@koa/router';
import type { Context } from 'koa';
import { documentPath } from './api-routes.ts';

/** Where people try the API out; with JavaScript only, unlike the docs. */
export const tryPath = '/api/docs/try';

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Try the API · Sallyport</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${tryPath}/swagger-ui.css">
<link rel="stylesheet" href="${tryPath}/try.css">
<script defer src="${tryPath}/swagger-ui-bundle.js"></script>
<script defer src="${tryPath}/try.js"></script>
</head>
<body data-page="api-try">
<header class="intro">
<p><a href="/api/docs">Back to the API docs</a></p>
<h1>Try the API</h1>
<p>Requests from this page are real, and are made as whoever is <a href="/account">signed in</a> to this browser.</p>
<noscript><p>This page needs JavaScript. The <a href="/api/docs">API docs</a> say the same without it.</p></noscript>
<h2>Operations</h2>
</header>
<div id="swagger-ui" data-document="${documentPath}"></div>
</body>
</html>
`;

const library = ['swagger-ui.css', 'swagger-ui-bundle.js'];
const own = ['try.css', 'try.js'];
const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};
const hour = 3600;
const pack = promisify(gzip);

interface Packed {
  readonly plain: Buffer;
  readonly gzip: Buffer;
}

/** Reads each file when it is asked for the first time: most installations never are, and a start does not wait for it. */
function createFiles(viewsDir: string): (name: string) => Promise<Packed> | undefined {
  const known = new Map<string, Promise<Packed>>();
  const pathOf = (name: string): string =>
    own.includes(name)
      ? join(viewsDir, 'api', name)
      : createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`);
  const load = async (name: string): Promise<Packed> => {
    const plain = await readFile(pathOf(name));
    return { plain, gzip: await pack(plain) };
  };
  return (name) => {
    if (!own.includes(name) && !library.includes(name)) return undefined;
    const file = known.get(name) ?? load(name);
    known.set(name, file);
    // What could not be read may be there the next time.
    file.catch(() => known.delete(name));
    return file;
  };
}

/**
 * Swagger UI on our own document, served from here with all that it needs, under the policy of every other page: no inline
 * script or style and no other host. @param viewsDir with `api/try.js` in it */
export function createTryPage(viewsDir: string): Router {
  const router = new Router({ strict: true });
  const fileOf = createFiles(viewsDir);

  router.get('api:try', tryPath, (ctx: Context) => {
    ctx.type = 'html';
    ctx.body = page;
  });
  router.get('api:try-file', `${tryPath}/:name`, async (ctx, next) => {
    const name = String(ctx.params.name);
    const file = await fileOf(name);
    if (!file) return next();
    ctx.set('Cache-Control', `public, max-age=${hour}`);
    ctx.vary('Accept-Encoding');
    ctx.type = types[extname(name)] ?? 'application/octet-stream';
    const packed = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
    if (packed) ctx.set('Content-Encoding', 'gzip');
    ctx.body = packed ? file.gzip : file.plain;
  });
  return router;
}
