import type { Configuration } from 'oidc-provider';
import type { OidcSettings } from './settings.ts';

type Ttl = NonNullable<Configuration['ttl']>;

/** How long each artifact lives, in seconds. A code lives one minute (ASVS 10.4.3). */
export const ttlFor = (settings: OidcSettings): Ttl => ({
  AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? settings.accessTokenSeconds,
  ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? settings.accessTokenSeconds,
  AuthorizationCode: 60,
  DeviceCode: 600,
  IdToken: settings.accessTokenSeconds,
  Interaction: settings.interactionSeconds,
  Session: settings.sessionSeconds,
  Grant: settings.refreshFamilySeconds,
  RefreshToken: (_ctx, token) => {
    // Rotation must not make a chain immortal: the first issue counts (RFC 9700 §4.14.2).
    const age = Math.floor(Date.now() / 1000) - (token.iiat ?? Math.floor(Date.now() / 1000));
    return Math.max(1, Math.min(settings.refreshTokenSeconds, settings.refreshFamilySeconds - age));
  },
});
