import type { Context } from 'koa';
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';

/** What a protocol error says to the person who meets it. The protocol's own words are for developers. */
export interface ProtocolError {
  readonly error: string;
  readonly description?: string;
  readonly clientId?: string;
}

/** The pages that the protocol shows by itself; `web/` draws them. Each writes the response. */
export interface HostedPages {
  error(ctx: Context, problem: ProtocolError, cause: unknown): Promise<void>;
  confirmLogout(ctx: Context, form: { action: string; xsrf: string; clientId?: string }): Promise<void>;
  signedOut(ctx: Context, app: { clientId?: string }): Promise<void>;
  deviceCode(ctx: Context, form: { action: string; xsrf: string; userCode?: string; problem?: string }): Promise<void>;
  confirmDevice(
    ctx: Context,
    form: { action: string; xsrf: string; userCode: string; clientId: string },
  ): Promise<void>;
  deviceDone(ctx: Context, app: { clientId?: string }): Promise<void>;
  /** A page that posts these fields by itself, or by its button where there is no JavaScript. */
  goOn(ctx: Context, form: { action: string; fields: Readonly<Record<string, string>> }): Promise<void>;
}

type Features = NonNullable<Configuration['features']>;

const plain = (ctx: KoaContextWithOIDC): Context => ctx as unknown as Context;
const clientOf = (ctx: KoaContextWithOIDC): { clientId?: string } => {
  const clientId = ctx.oidc.client?.clientId;
  return clientId === undefined ? {} : { clientId };
};
const xsrfOf = (ctx: KoaContextWithOIDC): string =>
  String((ctx.oidc.session as { state?: { secret?: string } } | undefined)?.state?.secret ?? '');

/** Draws protocol errors of browsers on our error page. */
export const renderErrorOn =
  (pages: HostedPages): NonNullable<Configuration['renderError']> =>
  async (ctx, out, cause) => {
    const clientId = ctx.oidc?.client?.clientId;
    await pages.error(
      plain(ctx),
      {
        error: out.error,
        ...(out.error_description !== undefined && { description: out.error_description }),
        ...(clientId !== undefined && { clientId }),
      },
      cause,
    );
  };

/** RP-initiated logout on our pages (OpenID Connect RP-Initiated Logout 1.0 §2). */
export const logoutFeature = (pages: HostedPages): Features['rpInitiatedLogout'] => ({
  enabled: true,
  logoutSource: (ctx) =>
    pages.confirmLogout(plain(ctx), {
      action: ctx.oidc.urlFor('end_session_confirm'),
      xsrf: xsrfOf(ctx),
      ...clientOf(ctx),
    }) as Promise<undefined>,
  postLogoutSuccessSource: (ctx) => pages.signedOut(plain(ctx), clientOf(ctx)) as Promise<undefined>,
});

/** The device flow's pages (RFC 8628 §3.3). */
export const deviceFeature = (pages: HostedPages): Features['deviceFlow'] => ({
  enabled: true,
  charset: 'base-20',
  mask: '****-****',
  deviceInfo(ctx) {
    // `max_age=0` has become `prompt=login`, which is not kept with the code. Our own check knows it by its name.
    const { prompts, params } = ctx.oidc;
    if (prompts.has('login') && params) params.max_age = '0';
    return {};
  },
  userCodeInputSource: (ctx, _form, _out, error) => {
    const problem = error?.name;
    const userCode = (error as { userCode?: string } | undefined)?.userCode ?? ctx.query.user_code;
    return pages.deviceCode(plain(ctx), {
      action: ctx.oidc.urlFor('code_verification'),
      xsrf: xsrfOf(ctx),
      ...(typeof userCode === 'string' && { userCode }),
      ...(problem !== undefined && { problem }),
    }) as Promise<undefined>;
  },
  userCodeConfirmSource: (ctx, _form, client, _device, userCode) =>
    pages.confirmDevice(plain(ctx), {
      action: ctx.oidc.urlFor('code_verification'),
      xsrf: xsrfOf(ctx),
      userCode,
      clientId: client.clientId,
    }) as Promise<undefined>,
  successSource: (ctx) => pages.deviceDone(plain(ctx), clientOf(ctx)) as Promise<undefined>,
});
