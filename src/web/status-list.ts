import Router from '@koa/router';
import type { Context } from 'koa';
import type { StatusLists } from '../status-list/index.ts';

interface Needs {
  readonly statusLists: StatusLists;
}

/** Address of all lists, from the issuer on. Tokens in the field point below it: it never changes. */
export const statusListsPath = '/oauth2/status-lists';

const listType = 'application/statuslist+jwt';

/** Public, and the same for everybody: nobody can tell from the answer who asked for which token. */
function publish(ctx: Context, seconds: number): void {
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
  ctx.set('Cache-Control', `public, max-age=${seconds}`);
}

const problem = (ctx: Context, status: number, error: string): void => {
  ctx.status = status;
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.body = { error };
};

/** RFC 9110 §13.1.2. Koa's own check gives up when `no-cache` comes along, as `fetch` has it come with every such header. */
const names = (condition: string, etag: string): boolean =>
  condition.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);

/**
 * Where services fetch status lists (draft-ietf-oauth-status-list §8, §9). Caches between us and them may add a quarter
 * of the lists' own life. The state at another time is nobody's business (§12.7): `?time=` is 501.
 */
export function createStatusListRoutes({ statusLists }: Needs): Router {
  const router = new Router();
  const maxAge = Math.max(1, Math.floor(statusLists.ttlSeconds / 4));

  router.get('status-lists', statusListsPath, async (ctx) => {
    publish(ctx, maxAge);
    ctx.body = { status_lists: await statusLists.list() };
  });

  router.get('status-list', `${statusListsPath}/:id`, async (ctx) => {
    if (ctx.query.time !== undefined) return problem(ctx, 501, 'not_implemented');
    if (!ctx.accepts(listType)) return problem(ctx, 406, 'not_acceptable');
    const list = await statusLists.find(String(ctx.params.id));
    if (!list) return problem(ctx, 404, 'not_found');
    publish(ctx, maxAge);
    ctx.vary('Accept-Encoding');
    ctx.set('ETag', list.etag);
    if (names(ctx.get('If-None-Match'), list.etag)) {
      ctx.status = 304;
      return;
    }
    const gzip = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
    if (gzip) ctx.set('Content-Encoding', 'gzip');
    ctx.body = gzip ? list.gzipped : list.token;
    ctx.set('Content-Type', listType);
  });
  return router;
}
