import type { Context } from 'koa';
import { AppError } from '../shared/errors.ts';
import type { FlowContext } from './call.ts';
import { checkSameOrigin, readPostedForm } from './guards.ts';
import type { PlaygroundApi } from './options.ts';
import type { PageModels, PageName } from './page-models.ts';
import type { RenderPage } from './render-page.ts';
import type { Run } from './run.ts';
import type { Visit, Visits } from './visits.ts';

/** Not one of the issuer's names: both run on localhost in development, and cookies do not know ports. */
const cookieName = 'playground_visit';

/** What the routes share. */
export interface PageContext extends FlowContext {
  readonly origin: string;
  readonly visits: Visits;
  readonly render: RenderPage;
  readonly apis: readonly PlaygroundApi[];
}

/** Answers with a page. */
export function show<Name extends PageName>(
  ctx: Context,
  { render }: PageContext,
  name: Name,
  model: PageModels[Name],
  status = 200,
): void {
  ctx.status = status;
  ctx.type = 'html';
  ctx.body = render(name, model);
}

/** Sends the browser on with GET, so that reloading never repeats a post. */
export function seeOther(ctx: Context, to: string): void {
  ctx.redirect(to);
  ctx.status = 303;
}

/** The form of this request, when it came from a page of the playground. */
export async function formOf(ctx: Context, { origin }: PageContext): Promise<ReadonlyMap<string, string>> {
  checkSameOrigin(ctx, origin);
  return readPostedForm(ctx);
}

/** The visit of this browser, if it has one. */
export const visitOf = (ctx: Context, { visits }: PageContext): Visit | undefined =>
  visits.find(ctx.cookies.get(cookieName));

/** The visit of this browser, made when it has none. */
export function visitFor(ctx: Context, context: PageContext): Visit {
  const known = visitOf(ctx, context);
  if (known) return known;
  const visit = context.visits.create();
  ctx.cookies.set(cookieName, visit.id, { httpOnly: true, sameSite: 'lax', path: '/', signed: false });
  return visit;
}

/** @throws AppError `not_found` unless this browser has a run of that kind and id. */
export function runOf<Kind extends Run['kind']>(
  ctx: Context & { params: Record<string, string> },
  context: PageContext,
  ...kinds: readonly Kind[]
): Run & { kind: Kind } {
  const run = visitOf(ctx, context)?.runs.get(ctx.params.id ?? '');
  if (!run || !(kinds as readonly string[]).includes(run.kind)) {
    throw new AppError(
      'not_found',
      'This run is not here. It belongs to another browser, or the playground was restarted. Start a new one.',
    );
  }
  return run as Run & { kind: Kind };
}
