// Serves the browser app without a bundler: an import map leads to the installed packages. For development.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const { ISSUER = 'http://localhost:3000', CLIENT_ID = 'demo-spa', PORT = '8080' } = process.env;

const fileOf = (specifier) => fileURLToPath(import.meta.resolve(specifier));
const packages = fileOf('openid-client').split(`${sep}openid-client${sep}`)[0];
const specifiers = ['openid-client', 'oauth4webapi', 'jose/errors', 'jose/jwe/compact/decrypt'];
const imports = Object.fromEntries(
  specifiers.map((name) => [name, `/packages${fileOf(name).slice(packages.length).replaceAll(sep, '/')}`]),
);

const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Browser app</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<main data-issuer="${ISSUER}" data-client-id="${CLIENT_ID}">
<p>Signed in: <b id="who">nobody</b></p>
<p id="problem" role="alert"></p>
<button id="sign-in">Sign in</button>
</main>
<script type="module" src="/app.js"></script>
</html>
`;

const pages = new Set(['/', '/callback']);

/** The script behind a path: the app's own, or one of an installed package. */
function scriptAt(pathname) {
  if (pathname === '/app.js') return join(import.meta.dirname, 'app.js');
  const file = resolve(packages, `.${pathname.slice('/packages'.length)}`);
  return pathname.startsWith('/packages/') && file.startsWith(packages + sep) && file.endsWith('.js') ? file : undefined;
}

const server = createServer(async (req, res) => {
  const { pathname } = new URL(req.url, 'http://localhost');
  const script = scriptAt(pathname);
  const body = script ? await readFile(script).catch(() => undefined) : pages.has(pathname) ? page : undefined;
  if (body === undefined) res.writeHead(404).end();
  else res.setHeader('content-type', `text/${script ? 'javascript' : 'html'}; charset=utf-8`).end(body);
});
server.listen(Number(PORT), 'localhost', () => console.log(`Open http://localhost:${PORT}`));
