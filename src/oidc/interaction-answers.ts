import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { AppError } from '../shared/errors.ts';

type Details = InstanceType<Provider['Interaction']>;

/** A mark of one form as one browser sends it, which nobody else can make: sent twice it gets its answer twice. */
export type FormMark = (ctx: Context) => string | undefined;

/** Seconds in which a form may come a second time: a double click, or a connection that was cut. */
const keepSeconds = 10;

export const expired = (): AppError =>
  new AppError('expired', 'This sign-in has expired. Nothing is lost: start again from the app.');

/** Where a browser goes on, and the cookies that it was given with that. */
export interface KeptAnswer {
  readonly location: string;
  readonly cookies: readonly string[];
}

/**
 * Keeps where the app's request ended for whoever sends the form of this interaction again, with the cookies that came along.
 * An answer that was no redirect is not kept.
 */
export async function keepAnswer(ctx: Context, details: Details, form: FormMark): Promise<void> {
  // Koa's type says that it is never missing.
  const location = ctx.response.get('location') as string | undefined;
  const mark = location ? form(ctx) : undefined;
  if (!location || mark === undefined) return details.destroy();
  details.result = { answered: { form: mark, cookies: cookiesOf(ctx) } };
  details.returnTo = location;
  await details.save(keepSeconds);
}

const cookiesOf = (ctx: Context): string[] => [ctx.response.headers['set-cookie'] ?? []].flat();

/**
 * Where a browser goes on whose interaction has its answer already. A kept answer leads to the app with a code: that is
 * only for the very form sent again by the browser that sent it first, not for a page that is looked at once more.
 * @throws AppError `expired` when there is an answer, but not for this request.
 */
export function answerFor(
  ctx: Context,
  { result, returnTo }: Details,
  form: FormMark | undefined,
): KeptAnswer | undefined {
  if (!result) return undefined;
  const kept = result.answered as { readonly form: string; readonly cookies: string[] } | undefined;
  if (kept && (ctx.method !== 'POST' || kept.form !== form?.(ctx))) throw expired();
  return { location: returnTo, cookies: kept?.cookies ?? [] };
}
