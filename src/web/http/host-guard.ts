import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';
import type { EdgeContext, EdgeMiddleware } from './context.ts';

/**
 * Makes every URL and cookie that is derived from a request follow the issuer: `ctx.host`, `protocol`, `secure`,
 * `href` and `URL` no longer look at the request, so oidc-provider's `urlFor` cannot be made to point elsewhere.
 */
export function pinToIssuer<State, Context>(app: Koa<State, Context>, issuer: string): void {
  const { host, hostname, protocol } = new URL(issuer);
  const pinned = { host, hostname, protocol: protocol.slice(0, -1), secure: protocol === 'https:' };
  for (const [name, value] of Object.entries(pinned)) {
    Object.defineProperty(app.request, name, { get: () => value, configurable: true });
  }
}

/** How many Host headers there are; Node keeps the first one and drops the rest. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

/** What a request says of the address it is for. */
export type Addressed = 'here' | 'elsewhere' | 'no-path' | 'not-one-host';

/**
 * Whom a request is for. Forwarded hosts count for nothing: a proxy in front passes Host on as it came. A target in
 * absolute form is refused, because it would overrule Host (RFC 9112 §3.2.2).
 */
export function createHostCheck(issuer: string): (req: IncomingMessage) => Addressed {
  const { host, hostname, port, protocol } = new URL(issuer);
  const withPort = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  return ({ url, rawHeaders, headers }) => {
    if (!url?.startsWith('/')) return 'no-path';
    if (countHosts(rawHeaders) !== 1) return 'not-one-host';
    const given = (headers.host ?? '').toLowerCase();
    return given === host || given === withPort ? 'here' : 'elsewhere';
  };
}

// The stylesheet has no address at a wrong host, so this page brings the few lines that make it look like the others.
const style = `
:root{color-scheme:light dark}
body{display:grid;place-content:center;justify-items:center;min-height:100dvh;margin:0;background:light-dark(#f3f2ec,#111615);color:light-dark(#1a201e,#e6ebe7);font:1rem/1.5 system-ui,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main{box-sizing:border-box;width:min(100vw - 2rem,26.5rem);padding:2rem;border:1px solid light-dark(#dedbd0,#2b3431);border-radius:14px;background:light-dark(#fffefb,#181f1d)}
h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.2}
p{margin:0;color:light-dark(#565e59,#9fada7)}
a{color:light-dark(#0c5f5a,#6ccab8)}
:focus-visible{outline:2px solid light-dark(#0c5f5a,#9be6d8);outline-offset:2px}
`;
const policy =
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

function misdirected(ctx: EdgeContext, issuer: string): void {
  ctx.status = 421;
  ctx.state.refusal = { code: 'misdirected', reason: ctx.get('Host').slice(0, 100) };
  if (ctx.accepts('json', 'html') !== 'html') {
    ctx.throw(421, `This server answers at ${issuer} only. Use that address.`);
  }
  ctx.type = 'html';
  ctx.set('Content-Security-Policy', policy);
  ctx.body = `<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Use ${issuer}</title>
<style>${style}</style>
<main><h1>This is not the address of this server</h1>
<p>It answers at <a href="${issuer}/">${issuer}</a> only. Open that address instead.</p></main>
</html>
`;
}

/** Lets a request in only when its Host is the issuer's; see {@link createHostCheck}. */
export function createHostGuard(options: { readonly issuer: string }): EdgeMiddleware {
  const { origin } = new URL(options.issuer);
  const check = createHostCheck(options.issuer);
  return function hostGuard(ctx, next) {
    const addressed = check(ctx.req);
    if (addressed === 'no-path') ctx.throw(400, 'The request target must be a path.');
    if (addressed === 'not-one-host') ctx.throw(400, 'A request needs exactly one Host header.');
    if (addressed === 'elsewhere') return misdirected(ctx, origin);
    return next();
  };
}
