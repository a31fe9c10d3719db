import type { Client } from '../clients/index.ts';
import type { AppIdentity } from './page-models.ts';

const originOf = (uri: string | undefined): URL | undefined =>
  uri !== undefined && URL.canParse(uri) ? new URL(uri) : undefined;

/**
 * How pages name an app. The domain is where the browser really goes next, never what the app says of itself; the way
 * back is the address that the app registered.
 */
export function appCard(client: Client, redirectUri?: string): AppIdentity {
  const target = originOf(redirectUri ?? client.metadata.redirect_uris[0]);
  const uri = client.metadata.client_uri ?? client.metadata.initiate_login_uri;
  const home = uri ?? (target && /^https?:$/.test(target.protocol) ? target.origin : undefined);
  return {
    name: client.name,
    domain: target ? target.host || `${target.protocol}//` : client.name,
    ...(home !== undefined && { uri: home }),
  };
}
