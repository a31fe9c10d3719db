import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import type { Account } from '../accounts/index.ts';
import type { Clock } from '../shared/clock.ts';
import { sha256 } from '../shared/crypto.ts';
import { AppError } from '../shared/errors.ts';
import { type AccountId, randomSecret } from '../shared/ids.ts';
import type { Challenge } from './ceremony-store.ts';
import { mostPasskeys, type StoredPasskey } from './passkey.ts';
import type { PasskeyStore } from './passkey-store.ts';
import type { RelyingParty } from './relying-party.ts';
import { algorithms } from './verify-response.ts';

/** Options for `navigator.credentials.create`, as JSON (WebAuthn L3 §5.4). */
export type CreationOptions = PublicKeyCredentialCreationOptionsJSON;
/** Options for `navigator.credentials.get`, as JSON (WebAuthn L3 §5.5). */
export type RequestOptions = PublicKeyCredentialRequestOptionsJSON;

/** Whose passkey it is, as browsers and password managers show it. */
export type PasskeyOwner = Pick<Account, 'id' | 'email' | 'username' | 'profile'>;

interface Needs {
  readonly store: PasskeyStore;
  readonly clock: Clock;
  readonly rp: RelyingParty;
}

/** How long a challenge waits for its answer. */
export const challengeMilliseconds = 300_000;

/** The key under which a challenge is kept. */
export const challengeKey = (purpose: Challenge['purpose'], challenge: string, binding: string) => ({
  hash: sha256(challenge),
  purpose,
  binding: sha256(binding),
});

/** What authenticators are told about a person (WebAuthn L3 §5.4.3). */
export function namesOf({ username, email, profile }: PasskeyOwner): { name: string; displayName: string } {
  const name = username ?? email;
  return { name, displayName: profile.name ?? name };
}

const descriptorOf = ({ credentialId, transports }: StoredPasskey) => ({
  id: credentialId,
  type: 'public-key' as const,
  ...(transports.length > 0 && { transports: [...transports] as NonNullable<Transports> }),
});
type Transports = NonNullable<CreationOptions['excludeCredentials']>[number]['transports'];

async function openChallenge(
  { store, clock }: Needs,
  purpose: Challenge['purpose'],
  binding: string,
  about: { accountId?: AccountId | undefined; automatic?: boolean | undefined },
): Promise<string> {
  const challenge = randomSecret();
  await store.ceremonies.open({
    ...challengeKey(purpose, challenge, binding),
    automatic: about.automatic ?? false,
    expiresAt: clock.now() + challengeMilliseconds,
    ...(about.accountId !== undefined && { accountId: about.accountId }),
  });
  return challenge;
}

/**
 * Asks for a new passkey that its authenticator can list (discoverable) and that verifies the person, because it will
 * stand for both doors. @throws AppError `conflict` when the account has all it may have
 */
export async function beginRegistration(
  needs: Needs,
  owner: PasskeyOwner,
  binding: string,
  automatic = false,
): Promise<CreationOptions> {
  const { store, rp } = needs;
  const passkeys = await store.list(owner.id);
  if (passkeys.length >= mostPasskeys) throw tooMany();
  const handle = await store.ceremonies.handle(owner.id, randomSecret());
  if (handle === undefined) throw new Error('The handle of an account disappeared.');
  return {
    challenge: await openChallenge(needs, 'create', binding, { accountId: owner.id, automatic }),
    rp: { id: rp.id, name: rp.name },
    user: { id: handle, ...namesOf(owner) },
    pubKeyCredParams: algorithms.map((alg) => ({ alg, type: 'public-key' })),
    timeout: challengeMilliseconds,
    attestation: 'none',
    excludeCredentials: passkeys.map(descriptorOf),
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: automatic ? 'preferred' : 'required',
    },
  };
}

export const tooMany = (): AppError =>
  new AppError('conflict', `An account can have ${mostPasskeys} passkeys. Remove one that you do not use any more.`);

/**
 * Asks for an assertion. Without an account anybody's passkey will do, it alone says who they are, and the person has to
 * be verified; the options look the same for everybody. With one, only that account's, and a touch is enough.
 */
export async function beginAuthentication(
  needs: Needs,
  binding: string,
  accountId: AccountId | undefined,
): Promise<RequestOptions> {
  const passkeys = accountId === undefined ? [] : await needs.store.list(accountId);
  return {
    challenge: await openChallenge(needs, 'get', binding, { accountId }),
    rpId: needs.rp.id,
    timeout: challengeMilliseconds,
    allowCredentials: passkeys.map(descriptorOf),
    userVerification: accountId === undefined ? 'required' : 'preferred',
  };
}
