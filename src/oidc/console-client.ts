import type { Client } from '../clients/index.ts';
import { asClientId } from '../shared/ids.ts';
import { builtInClient } from './built-in-client.ts';

/** The client id of our own consoles. It is built in, so that nobody can register it. */
export const consoleClientId = asClientId('sallyport-console');

/** Where an authorization request of our consoles comes back to. */
export const consoleCallbackPath = '/console/callback';

/**
 * Our own consoles as an app that people sign in to, with the same pages and rules as any other. It has no secret, so
 * its codes can never be redeemed: the console reads the browser session, and the code is only the way back.
 */
export const consoleClient = (issuer: string): Client =>
  builtInClient({
    id: consoleClientId,
    name: 'Sallyport',
    kind: 'web',
    metadata: {
      redirect_uris: [`${issuer}${consoleCallbackPath}`],
      post_logout_redirect_uris: [`${issuer}/`],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
      scope: 'openid',
      client_uri: `${issuer}/`,
    },
  });
