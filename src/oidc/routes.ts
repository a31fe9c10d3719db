/** Issuer-relative paths of the protocol endpoints. Others build on them: they never change. */
export const protocolRoutes = {
  authorization: '/oauth2/authorize',
  token: '/oauth2/token',
  userinfo: '/oauth2/userinfo',
  jwks: '/oauth2/jwks',
  introspection: '/oauth2/introspect',
  revocation: '/oauth2/revoke',
  end_session: '/oauth2/logout',
  device_authorization: '/oauth2/device',
  code_verification: '/device',
  pushed_authorization_request: '/oauth2/par',
  registration: '/oauth2/register',
  backchannel_authentication: '/oauth2/ciba',
} as const;

/** Where a browser goes to sign in or consent; every page of that flow lies below it. */
export const interactionPath = (uid: string): string => `/sign-in/${uid}`;

/** Whether a text has the form of an interaction's uid; it says nothing about whether there is one. */
export const isInteractionUid = (text: string): boolean => /^[\w-]{43}$/.test(text);
