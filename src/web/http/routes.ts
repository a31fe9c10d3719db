/** What an answer at a route is for: it decides headers, body type and how errors look. */
export type RouteKind = 'oauth' | 'metadata' | 'flow' | 'console' | 'api' | 'asset' | 'other';

export type RouteName =
  | 'authorization'
  | 'resume'
  | 'token'
  | 'userinfo'
  | 'jwks'
  | 'introspection'
  | 'revocation'
  | 'end_session'
  | 'end_session_confirm'
  | 'end_session_success'
  | 'pushed_authorization_request'
  | 'device_authorization'
  | 'code_verification'
  | 'device_resume'
  | 'discovery'
  | 'protected_resource'
  | 'sign_in'
  | 'register'
  | 'invitation'
  | 'check_mail'
  | 'verify_email'
  | 'forgot_password'
  | 'reset_password'
  | 'confirm_email'
  | 'recover'
  | 'account'
  | 'admin'
  | 'console'
  | 'api'
  | 'api_sign_in'
  | 'api_verify'
  | 'authorization_challenge'
  | 'api_docs'
  | 'assets'
  | 'home'
  | 'dev'
  | 'unknown';

export interface Route {
  readonly name: RouteName;
  readonly kind: RouteKind;
  readonly methods: readonly string[];
}

const read = ['GET', 'HEAD'];
const form = ['GET', 'HEAD', 'POST'];
const post = ['POST', 'OPTIONS'];
const everything = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const unknown: Route = { name: 'unknown', kind: 'other', methods: everything };

const exact = new Map<string, Route>([
  ['/.well-known/openid-configuration', { name: 'discovery', kind: 'metadata', methods: [...read, 'OPTIONS'] }],
  ['/.well-known/oauth-authorization-server', { name: 'discovery', kind: 'metadata', methods: [...read, 'OPTIONS'] }],
  [
    '/.well-known/oauth-protected-resource/api/v1',
    { name: 'protected_resource', kind: 'metadata', methods: [...read, 'OPTIONS'] },
  ],
  ['/oauth2/jwks', { name: 'jwks', kind: 'metadata', methods: [...read, 'OPTIONS'] }],
  ['/oauth2/authorize', { name: 'authorization', kind: 'flow', methods: form }],
  ['/oauth2/token', { name: 'token', kind: 'oauth', methods: post }],
  ['/oauth2/userinfo', { name: 'userinfo', kind: 'oauth', methods: [...form, 'OPTIONS'] }],
  ['/oauth2/introspect', { name: 'introspection', kind: 'oauth', methods: post }],
  ['/oauth2/revoke', { name: 'revocation', kind: 'oauth', methods: post }],
  ['/oauth2/logout', { name: 'end_session', kind: 'flow', methods: form }],
  ['/oauth2/logout/confirm', { name: 'end_session_confirm', kind: 'flow', methods: ['POST'] }],
  ['/oauth2/par', { name: 'pushed_authorization_request', kind: 'oauth', methods: post }],
  ['/oauth2/device', { name: 'device_authorization', kind: 'oauth', methods: post }],
  ['/device', { name: 'code_verification', kind: 'flow', methods: form }],
  ['/oauth2/authorization-challenge', { name: 'authorization_challenge', kind: 'oauth', methods: ['POST'] }],
  // Services ask here all day, so its time is counted apart from the rest of the API.
  ['/api/v1/auth/verify', { name: 'api_verify', kind: 'api', methods: everything }],
  ['/api/docs', { name: 'api_docs', kind: 'other', methods: read }],
  // Reached from a sign-in, perhaps in a popup of an app; the pages behind links in mails are not.
  ['/account/register', { name: 'register', kind: 'flow', methods: form }],
  ['/account/invitation', { name: 'invitation', kind: 'console', methods: form }],
  ['/account/check-mail', { name: 'check_mail', kind: 'flow', methods: form }],
  ['/account/forgot-password', { name: 'forgot_password', kind: 'flow', methods: form }],
  ['/account/verify-email', { name: 'verify_email', kind: 'console', methods: form }],
  ['/account/reset-password', { name: 'reset_password', kind: 'console', methods: form }],
  ['/account/confirm-email', { name: 'confirm_email', kind: 'console', methods: form }],
  ['/account/recover', { name: 'recover', kind: 'console', methods: form }],
  ['/', { name: 'home', kind: 'other', methods: read }],
  ['/favicon.ico', { name: 'assets', kind: 'asset', methods: read }],
  ['/favicon.svg', { name: 'assets', kind: 'asset', methods: read }],
  ['/oauth2/logout/success', { name: 'end_session_success', kind: 'flow', methods: read }],
]);

const below: readonly (readonly [string, Route])[] = [
  ['/oauth2/authorize/', { name: 'resume', kind: 'flow', methods: read }],
  ['/device/', { name: 'device_resume', kind: 'flow', methods: read }],
  ['/dev/', { name: 'dev', kind: 'other', methods: read }],
  ['/sign-in/', { name: 'sign_in', kind: 'flow', methods: form }],
  ['/assets/', { name: 'assets', kind: 'asset', methods: read }],
  ['/account/', { name: 'account', kind: 'console', methods: form }],
  ['/console/', { name: 'console', kind: 'console', methods: read }],
  ['/admin/', { name: 'admin', kind: 'console', methods: form }],
  ['/api/v1/auth/login/', { name: 'api_sign_in', kind: 'api', methods: everything }],
  ['/api/', { name: 'api', kind: 'api', methods: everything }],
];

/**
 * The route of a path, folded as the routers behind it fold: letters of either case, one slash too many at the end.
 * Limits and labels are keyed on this, never on the path, so that `/OAUTH2/TOKEN/` is no way around.
 */
export function findRoute(path: string): Route {
  const asIs = exact.get(path);
  if (asIs) return asIs;
  const folded = path.toLowerCase();
  const trimmed = folded.length > 1 && folded.endsWith('/') ? folded.slice(0, -1) : folded;
  const route = exact.get(trimmed);
  if (route) return route;
  for (const [prefix, candidate] of below) {
    if (`${trimmed}/`.startsWith(prefix)) return candidate;
  }
  return unknown;
}

/** The route of a request; a request target that is not a path is `unknown`. */
export const routeFor = (ctx: { readonly req: { readonly url?: string | undefined }; readonly path: string }): Route =>
  ctx.req.url?.startsWith('/') ? findRoute(ctx.path) : unknown;

/** The name of a request's route, one of a closed set. */
export const routeOf = (ctx: Parameters<typeof routeFor>[0]): RouteName => routeFor(ctx).name;
