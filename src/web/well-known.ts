import Router from '@koa/router';

interface WellKnownOptions {
  readonly issuer: string;
  /** Whether passkeys work for this issuer at all. */
  readonly passkeys: boolean;
  /** Origins besides the issuer's that may use its passkeys. */
  readonly relatedOrigins: readonly string[];
  /** Pages of the account console. */
  readonly paths?: { readonly password: string; readonly passkeys: string };
}

const oneHour = 'public, max-age=3600';

/**
 * What browsers and password managers look for without knowing us: where to change a password (W3C Change Password URL),
 * where to add and see passkeys (W3C Passkey Endpoints), and who else may use them (WebAuthn L3 §5.11.1). All addresses
 * come from the issuer; nothing here says anything about anybody.
 */
export function createWellKnownRoutes(options: WellKnownOptions): Router {
  const {
    issuer,
    passkeys,
    relatedOrigins,
    paths = { password: '/account/password', passkeys: '/account/passkeys' },
  } = options;
  const router = new Router();

  router.get('well-known:change-password', '/.well-known/change-password', (ctx) => {
    ctx.status = 303;
    ctx.set('Location', `${issuer}${paths.password}`);
  });

  if (passkeys) {
    const page = `${issuer}${paths.passkeys}`;
    router.get('well-known:passkey-endpoints', '/.well-known/passkey-endpoints', (ctx) => {
      ctx.set('Cache-Control', oneHour);
      ctx.set('Access-Control-Allow-Origin', '*');
      ctx.body = { enroll: page, manage: page };
    });
  }

  if (passkeys && relatedOrigins.length > 0) {
    router.get('well-known:webauthn', '/.well-known/webauthn', (ctx) => {
      ctx.set('Cache-Control', oneHour);
      ctx.body = { origins: [...relatedOrigins] };
    });
  }
  return router;
}
