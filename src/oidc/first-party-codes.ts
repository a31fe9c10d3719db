import type { Provider } from 'oidc-provider';
import type { Client } from '../clients/index.ts';
import { accessId } from '../revocation/index.ts';
import { epochSeconds, systemClock, waitUntil } from '../shared/clock.ts';
import { type AccountId, asAccountId } from '../shared/ids.ts';
import type { OidcDomains } from './domains.ts';
import { type Order, readOrder, type Wanted } from './first-party-order.ts';
import { directRedirect } from './first-party-redemption.ts';
import { applyPermissions } from './grants.ts';

/** A sign-in that an app of ours did by itself and that is complete. */
export interface DirectSignIn {
  readonly client: Client;
  readonly accountId: AccountId;
  readonly amr: readonly string[];
  readonly acr: string;
  /** Seconds since the epoch. */
  readonly authTime: number;
  /** Before anything was shown; milliseconds since the epoch. */
  readonly startedAt: number;
  readonly order: Order;
}

/** Whose refresh token this is. */
export interface FoundRefreshToken {
  readonly clientId: string;
  readonly accountId: AccountId;
  /** Whether it could be used now. */
  readonly live: boolean;
}

/** Grants and codes for apps that sign people in by themselves: the library's own, so that all that follows is too. */
export interface FirstPartyCodes {
  /** @throws AppError `invalid_input` that names `scope` or `resource`. */
  readOrder(client: Client, wanted: Wanted): Promise<Order>;
  /**
   * Stores what the sign-in allows. Undefined when the account was taken back since the sign-in began, for example by a
   * new password: what was shown then proves nothing any more.
   * @returns the id of the grant
   */
  openGrant(signIn: DirectSignIn): Promise<string | undefined>;
  dropGrant(grantId: string): Promise<void>;
  /**
   * A code (RFC 6749 §4.1.2) for one redemption within a minute, by whoever knows the verifier of the challenge.
   * Undefined as for {@link FirstPartyCodes.openGrant}; then there is no grant any more.
   */
  issueCode(
    signIn: DirectSignIn,
    bound: { readonly grantId: string; readonly sessionId: string; readonly codeChallenge: string },
  ): Promise<string | undefined>;
  findRefreshToken(value: string): Promise<FoundRefreshToken | undefined>;
}

/** Whether all that the account had, or all that it lets this app do, was ended after that moment (milliseconds). */
const endedSince = (
  { revocations }: OidcDomains,
  { accountId, client }: DirectSignIn,
  issuedAt: number,
): Promise<boolean> =>
  revocations.isRevoked([
    { kind: 'account', id: accountId, issuedAt },
    { kind: 'access', id: accessId(accountId, client.id), issuedAt },
  ]);

/**
 * Tokens carry whole seconds, so whatever is issued in the second of an ending is over too, also for somebody who set a
 * new password and signs in with it at once. They wait for the next second.
 */
async function outliveEnding(domains: OidcDomains, signIn: DirectSignIn): Promise<void> {
  const second = epochSeconds(systemClock) * 1000;
  if (await endedSince(domains, signIn, second)) await waitUntil(systemClock, second + 1000);
}

const scopeOf = ({ identity, api }: Order): string => [...identity, ...api].join(' ');

/** Builds the port. `current` is asked each time, because a key rotation replaces the provider. */
export const createFirstPartyCodes = (current: () => Provider, domains: OidcDomains): FirstPartyCodes => ({
  readOrder: (client, wanted) => readOrder(domains.apis, client, wanted),

  async openGrant(signIn) {
    const { client, accountId, order } = signIn;
    if (await endedSince(domains, signIn, signIn.startedAt)) return undefined;
    await outliveEnding(domains, signIn);
    const grant = new (current().Grant)({ accountId, clientId: client.id });
    const resources = order.resource === undefined ? {} : { [order.resource]: order.api };
    applyPermissions(grant, { scopes: order.identity, claims: [], resources });
    return grant.save();
  },

  async dropGrant(grantId) {
    await current().Grant.adapter.destroy(grantId);
  },

  async issueCode(signIn, { grantId, sessionId, codeChallenge }) {
    const { client, accountId, amr, acr, authTime, order } = signIn;
    const code = new (current().AuthorizationCode)({
      accountId,
      client: { clientId: client.id } as never,
      grantId,
      gty: 'authorization_code',
      amr: [...amr],
      acr,
      authTime,
      scope: scopeOf(order),
      sid: sessionId,
      redirectUri: directRedirect,
      codeChallenge,
      codeChallengeMethod: 'S256',
      ...(order.resource !== undefined && { resource: order.resource }),
      ...(order.nonce !== undefined && { nonce: order.nonce }),
    });
    const value = await code.save();
    // While it was made, the account may have been taken back in a second that its time is after.
    if (!(await endedSince(domains, signIn, signIn.startedAt))) return value;
    await current().AccessToken.revokeByGrantId(grantId);
    await current().Grant.adapter.destroy(grantId);
    return undefined;
  },

  async findRefreshToken(value) {
    const token = await current().RefreshToken.find(value, { ignoreExpiration: true });
    if (!token?.accountId || !token.clientId) return undefined;
    const grant = token.grantId === undefined ? undefined : await current().Grant.find(token.grantId);
    const live = token.isValid && !token.consumed && grant !== undefined;
    return { clientId: token.clientId, accountId: asAccountId(token.accountId), live };
  },
});
