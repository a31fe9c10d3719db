import { errors, type Provider } from 'oidc-provider';
import { equalSecrets, sha256 } from '../shared/crypto.ts';
import { type AccountId, asAccountId, asClientId } from '../shared/ids.ts';
import type { OidcDomains } from './domains.ts';
import { subjectIsLive } from './introspection.ts';

/** What a redeemed code says of a sign-in. */
export interface AppSignIn {
  readonly accountId: AccountId;
  /** The browser's session at the issuer; the sign-in is over when it is. */
  readonly sessionUid: string;
  readonly grantId: string;
  /** Identity scopes that the person allowed. */
  readonly scopes: readonly string[];
  readonly acr?: string;
  /** When the person last proved who they are; seconds since the epoch, as `issuedAt`. */
  readonly authTime: number;
  readonly issuedAt: number;
}

/**
 * Redeems codes for a part of this server that signs people in for an app: no token is made and no client secret is
 * needed, because nobody but this process sees the verifier.
 */
export interface AppCodes {
  /**
   * Uses up a code. Undefined when it is not this client's, not of this redirect URI, not of this verifier (RFC 7636), used
   * before, or when what it stands for has ended. A second use ends the grant in the store, and what the first one gave
   * goes on: only this browser could bring the verifier again, and no token was made (RFC 6749 §4.1.2 is about those).
   */
  redeem(
    code: string,
    bound: { readonly clientId: string; readonly redirectUri: string; readonly verifier: string },
  ): Promise<AppSignIn | undefined>;
}

type Code = InstanceType<Provider['AuthorizationCode']>;

const isBound = (code: Code, { clientId, redirectUri, verifier }: Parameters<AppCodes['redeem']>[1]): boolean =>
  code.clientId === clientId &&
  code.redirectUri === redirectUri &&
  code.codeChallengeMethod === 'S256' &&
  code.codeChallenge !== undefined &&
  equalSecrets(code.codeChallenge, sha256(verifier));

async function consume(code: Code): Promise<boolean> {
  try {
    await code.consume();
    return true;
  } catch (error) {
    if (error instanceof errors.InvalidGrant) return false;
    throw error;
  }
}

/** Builds the port. `current` is asked each time, because a key rotation replaces the provider. */
export const createAppCodes = (current: () => Provider, domains: OidcDomains): AppCodes => ({
  async redeem(value, bound) {
    const code = await current().AuthorizationCode.find(value);
    if (!code || code.isExpired || !isBound(code, bound)) return undefined;
    const { accountId, clientId, grantId, sessionUid, authTime, acr, iat } = code;
    const grant = grantId === undefined ? undefined : await current().Grant.find(grantId);
    if (!grant || grant.accountId !== accountId || grant.clientId !== clientId) return undefined;
    if (!(await consume(code)) || !accountId || !grantId || !sessionUid || authTime === undefined) return undefined;
    if (!(await subjectIsLive(domains, accountId, clientId, iat))) return undefined;
    await domains.consents.noteUse(asAccountId(accountId), asClientId(bound.clientId));
    return {
      accountId: asAccountId(accountId),
      sessionUid,
      grantId,
      scopes: grant.getOIDCScopeFiltered(code.scopes).split(' ').filter(Boolean),
      authTime,
      issuedAt: iat ?? authTime,
      ...(acr !== undefined && { acr }),
    };
  },
});
