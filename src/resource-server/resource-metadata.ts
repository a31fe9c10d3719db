const wellKnown = '/.well-known/oauth-protected-resource';

/**
 * Where the metadata of a resource are (RFC 9728 §3.1): the well-known path goes between host and path, and a slash at the
 * end of the resource goes. @throws TypeError for an identifier that is no address.
 */
export function resourceMetadataUrl(resource: string): string {
  const url = new URL(resource);
  url.pathname = `${wellKnown}${url.pathname.replace(/\/$/, '')}`;
  url.hash = '';
  return url.href;
}

/** The protected resource metadata (RFC 9728 §2), to be served as JSON at {@link resourceMetadataUrl}. Empty lists go. */
export function resourceMetadata(
  resource: string,
  issuer: string,
  extra: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const all = { authorization_servers: [issuer], bearer_methods_supported: ['header'], ...extra, resource };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !(Array.isArray(value) && value.length === 0)));
}
