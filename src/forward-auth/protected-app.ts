import type { Client } from '../clients/index.ts';
import { rawPath } from './original-request.ts';

/** Paths on the host of an app that belong to its gate and never reach the app. */
export const gatePaths = {
  callback: '/.sallyport/callback',
  signIn: '/.sallyport/sign-in',
  signOut: '/.sallyport/sign-out',
} as const;

const longest = 1000;

/**
 * The origin of an app on that host. An ordinary client becomes one behind a proxy by a redirect URI that ends in
 * {@link gatePaths.callback}: its origin is one on which people may be signed in, and no other ever is.
 */
export function originOn(client: Client, host: string): string | undefined {
  const given = host.toLowerCase();
  for (const uri of client.metadata.redirect_uris) {
    const url = URL.parse(uri);
    if (url?.pathname !== gatePaths.callback || url.search !== '') continue;
    const withPort = `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
    if (given === url.host || given === withPort) return url.origin;
  }
  return undefined;
}

/**
 * Where on its own origin a browser goes after its sign-in. It is built from the registered origin, so it cannot lead
 * anywhere else; what is not a plain path, and what leads back to the gate, becomes the front page.
 */
export function returnAddress(origin: string, uri: string): string {
  const home = `${origin}/`;
  if (uri.length > longest || !/^\/[\x21-\x5b\x5d-\x7e]*$/.test(uri)) return home;
  const url = URL.parse(`${origin}${uri}`);
  if (url?.origin !== origin || url.username !== '' || url.password !== '') return home;
  if (/^\/+(?:\.|%2e)sallyport/i.test(url.pathname) || /^\/+(?:\.|%2e)sallyport/i.test(rawPath(uri))) return home;
  return `${origin}${url.pathname}${url.search}`;
}
