import type { Context } from 'koa';
import type { EdgeContext } from './http/context.ts';
import type { Csrf } from './http/csrf.ts';
import type { Form } from './http/form.ts';
import { parseForm } from './http/form.ts';
import type { Render } from './http/render.ts';
import type { PageModels, PageName } from './page-models.ts';

/** Writes a page as the response, with its form token. */
export interface PageWriter {
  show<Name extends PageName>(ctx: Context, page: Name, model: PageModels[Name], status?: number): Promise<void>;
}

/** Reads a posted form and makes sure that it came from a page of ours. */
export interface FormGuard {
  /** @throws AppError `forbidden` or `invalid_input`; nothing has happened then. */
  read(ctx: Context): Promise<Form>;
  /** A mark of this form as this browser sends it; see {@link Csrf.markOf}. */
  markOf(ctx: Context): string | undefined;
}

const edge = (ctx: Context): EdgeContext => ctx as unknown as EdgeContext;

export const createPageWriter = (render: Render, csrf: Csrf): PageWriter => ({
  async show(ctx, page, model, status = 200) {
    ctx.status = status;
    ctx.set('content-type', 'text/html; charset=utf-8');
    ctx.body = render(page, model, { requestId: String(ctx.state.requestId ?? ''), csrfToken: csrf.issue(edge(ctx)) });
  },
});

export const createFormGuard = (csrf: Csrf): FormGuard => ({
  async read(ctx) {
    const form = parseForm(edge(ctx));
    csrf.check(edge(ctx), form);
    return form;
  },
  markOf: (ctx) => csrf.markOf(edge(ctx)),
});
