import type { Context } from 'koa';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { deadLink, type EntrySurface, entryPaths, linkRoute, showLinkPage } from './surface.ts';

const path = entryPaths.confirmEmail;

async function show(surface: EntrySurface, ctx: Context, token: string | undefined): Promise<void> {
  const view = token ? await surface.registration.viewEmailChange(token) : undefined;
  if (view?.outcome === 'already') return showLinkPage(surface, ctx, 'confirm-email', { state: 'already' });
  if (view?.outcome === 'usable') {
    return showLinkPage(surface, ctx, 'confirm-email', { state: 'usable', token, email: view.email });
  }
  const { state, status } = deadLink(token);
  return showLinkPage(surface, ctx, 'confirm-email', { state }, status);
}

async function submit(surface: EntrySurface, ctx: Context, form: Form): Promise<void> {
  const token = form.get('token') ?? '';
  const result = await surface.registration.confirmEmailChange(token, metaOf(ctx));
  if (result.outcome === 'taken') return showLinkPage(surface, ctx, 'confirm-email', { state: 'taken' }, 409);
  if (result.outcome !== 'changed') return show(surface, ctx, token);
  surface.link.settle(ctx, path, { state: 'done' });
}

/** Makes an address that the person asked for the address of their account. */
export const confirmEmailRoute = linkRoute('confirm-email', path, show, submit);
