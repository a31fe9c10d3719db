import type { Context } from 'koa';

/** Who asks, for limits and the audit log. */
export interface RequestMeta {
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
}

export const metaOf = (ctx: Context): RequestMeta => ({
  ip: String(ctx.state.ip ?? ctx.ip),
  userAgent: ctx.get('user-agent').slice(0, 300),
  requestId: String(ctx.state.requestId ?? ''),
});
