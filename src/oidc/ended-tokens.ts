import type { AccessToken, ClientCredentials, Provider } from 'oidc-provider';
import type { RevocationCheck } from '../revocation/index.ts';
import type { Logger } from '../shared/logger.ts';
import { atTheEnd } from '../storage/unit-of-work.ts';
import type { OidcDomains } from './domains.ts';

interface FoundToken {
  readonly kind: string;
  readonly clientId?: string | undefined;
  readonly aud?: string | readonly string[] | undefined;
  /** Seconds since the epoch. */
  readonly iat?: number | undefined;
}

/** Revocations of access tokens by what they are for, from `aud` as a token has it. */
export const audienceChecks = (
  audience: string | readonly string[] | undefined,
  issuedAt: number,
): readonly RevocationCheck[] =>
  (typeof audience === 'string' ? [audience] : (audience ?? [])).map((id) => ({ kind: 'api', id, issuedAt }));

function checksOf(value: string, { kind, clientId, aud, iat = 0 }: FoundToken): RevocationCheck[] {
  const issuedAt = iat * 1000;
  return [
    { kind: 'token', id: value },
    ...(clientId === undefined ? [] : [{ kind: 'client', id: clientId, issuedAt } as const]),
    ...(kind === 'RefreshToken' ? [] : audienceChecks(aud, issuedAt)),
  ];
}

/**
 * Lets no opaque token be found that was revoked by itself or with its app, its API or everything else: a store that comes
 * back with what it had before (a failover, a backup) does not bring it back.
 */
export function hideEndedTokens(provider: Provider, { revocations }: Pick<OidcDomains, 'revocations'>): void {
  for (const kind of ['AccessToken', 'ClientCredentials', 'RefreshToken'] as const) {
    const model = provider[kind] as unknown as {
      find(value: string, ...rest: unknown[]): Promise<FoundToken | undefined>;
    };
    const find = model.find;
    model.find = async function findLive(value, ...rest) {
      const token = await find.call(this, value, ...rest);
      return token && revocations.isRevokedCached(checksOf(value, token)) ? undefined : token;
    };
  }
}

/** As long as verifiers with slow clocks take a token after its `exp` (seconds); milliseconds. */
export const revokedUntil = (exp: number): number => (exp + 60) * 1000;

/**
 * Writes down that an opaque token was revoked: it is gone from its store by then, but only from the store as it is now, and
 * what was exchanged for it looks here.
 */
export function rememberEndedTokens(
  provider: Provider,
  { revocations }: Pick<OidcDomains, 'revocations'>,
  logger: Logger,
): void {
  const remember = ({ jti: id, exp = 0, clientId }: AccessToken | ClientCredentials): void => {
    const by = clientId === undefined ? {} : { by: { kind: 'client', id: clientId } as const };
    const entry = { kind: 'token', id, expiresAt: revokedUntil(exp), reason: 'revoked by its client', ...by } as const;
    atTheEnd(
      () => revocations.revoke(entry),
      (error) => logger.error({ err: error }, 'a revocation could not be written'),
    );
  };
  provider.on('client_credentials.destroyed', remember);
  provider.on('access_token.destroyed', remember);
}
