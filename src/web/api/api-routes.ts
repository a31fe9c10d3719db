import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { AppError } from '../../shared/errors.ts';
import { once } from '../../shared/once.ts';
import type { PageWriter } from '../page-writer.ts';
import type { CallerNeeds } from './authenticate.ts';
import { describeDocument } from './docs-page.ts';
import type { OpenApiDocument } from './openapi-document.ts';
import type { Operation } from './operation.ts';
import { apiPath, resourceMetadata, resourceMetadataPath } from './resource.ts';
import { runOperation } from './run-operation.ts';

interface Needs extends CallerNeeds {
  readonly operations: readonly Operation[];
  /** Made for whoever reads it first: it takes longer than all else that a start does with the API. */
  readonly document: () => OpenApiDocument;
  readonly pages: PageWriter;
}

/** The address of the OpenAPI document. */
export const documentPath = `${apiPath}/openapi.json`;

const exposed = 'WWW-Authenticate, Retry-After, ETag, X-Request-Id';

/** Any origin may call with a token. What a cookie opens is for our own origin, and `*` keeps cookies from all others. */
const openToOrigins: Middleware = function openToOrigins(ctx, next) {
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.set('Access-Control-Expose-Headers', exposed);
  return next();
};

const toRouterPath = (path: string): string => `${apiPath}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;

/** What a browser asks before it lets another origin call (Fetch, CORS preflight), and 405 for all other methods. */
function answerOtherMethods(allowed: string): (ctx: Context) => void {
  return (ctx) => {
    ctx.set('Allow', allowed);
    if (ctx.method !== 'OPTIONS')
      return ctx.throw(405, `This address takes ${allowed}.`, { headers: { Allow: allowed } });
    ctx.set('Access-Control-Allow-Methods', allowed);
    ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type, If-Match');
    ctx.set('Access-Control-Max-Age', '3600');
    ctx.status = 204;
  };
}

/** The page that shows the OpenAPI document to people. */
export function createApiDocs({ document, pages }: Pick<Needs, 'document' | 'pages'>): Router {
  const router = new Router();
  const model = once(() => describeDocument(document(), documentPath));
  router.get('api-docs', '/api/docs', (ctx: Context) => pages.show(ctx, 'api-docs', model()));
  return router;
}

/** The JSON API below {@link apiPath}, and its OpenAPI document. */
export function createApiRoutes(needs: Omit<Needs, 'pages'>): Router {
  // Strict: `DELETE …/sessions/` with an id that went missing is not the address of all sessions.
  const router = new Router({ strict: true });
  const text = once(() => JSON.stringify(needs.document()));
  const paths = new Map<string, Set<string>>([[documentPath, new Set(['GET', 'HEAD', 'OPTIONS'])]]);
  router.use(openToOrigins as never);

  router.get('api:openapi', documentPath, (ctx) => {
    ctx.set('Cache-Control', 'public, max-age=300');
    ctx.type = 'application/json';
    ctx.body = text();
  });
  router.get('api:resource', resourceMetadataPath, (ctx) => {
    ctx.type = 'application/json';
    ctx.body = JSON.stringify(resourceMetadata(needs.issuer));
  });
  for (const operation of needs.operations) {
    const path = toRouterPath(operation.path);
    const methods = paths.get(path) ?? new Set(['OPTIONS']);
    methods.add(operation.method.toUpperCase());
    if (operation.method === 'get') methods.add('HEAD');
    paths.set(path, methods);
    router[operation.method](`api:${operation.id}`, path, (ctx: Context) => runOperation(needs, operation, ctx));
  }
  for (const [path, methods] of paths) router.all(path, answerOtherMethods([...methods].sort().join(', ')) as never);
  router.all(`${apiPath}{/*rest}`, () => {
    throw new AppError('not_found', `The API has no such address. ${documentPath} lists them all.`);
  });
  return router;
}
