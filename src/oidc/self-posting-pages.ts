import type { Middleware } from 'koa';
import type { HostedPages } from './hosted-pages.ts';

const isLibraryPage = (body: unknown): body is string =>
  typeof body === 'string' && body.includes('<title>Submitting Callback</title>');

const signs: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
const decode = (text = ''): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_all, name: string) => signs[name] ?? '');

/**
 * Draws the pages on which oidc-provider lets the browser post something by itself (`response_modes/form_post.js`) as
 * ours: a change of accounts, a device code in the address, a logout of nobody, an answer by form post. It has no
 * setting for them.
 */
export const createSelfPostingPages = (pages: HostedPages): Middleware =>
  async function selfPostingPages(ctx, next) {
    await next();
    if (!isLibraryPage(ctx.body)) return;
    const inputs = ctx.body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"\/>/g);
    const fields = Object.fromEntries(Array.from(inputs, ([, name = '', value]) => [name, decode(value)]));
    const action = decode(/<form method="post" action="([^"]*)">/.exec(ctx.body)?.[1]);
    await pages.goOn(ctx, { action, fields });
  };
