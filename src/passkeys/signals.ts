import { namesOf, type PasskeyOwner } from './begin-ceremony.ts';
import type { PasskeyStore } from './passkey-store.ts';
import { readAuthentication, readRegistration } from './read-response.ts';
import type { RelyingParty } from './relying-party.ts';

/** For `PublicKeyCredential.signalUnknownCredential` (WebAuthn L3 §5.1.10): a passkey that the browser may stop offering. */
export interface UnknownSignal {
  readonly unknown: { readonly rpId: string; readonly credentialId: string };
}

/** For `signalAllAcceptedCredentials` and `signalCurrentUserDetails`: what there is, to somebody who is signed in. */
export interface AccountSignals {
  readonly accepted: {
    readonly rpId: string;
    readonly userId: string;
    readonly allAcceptedCredentialIds: readonly string[];
  };
  readonly details: {
    readonly rpId: string;
    readonly userId: string;
    readonly name: string;
    readonly displayName: string;
  };
}

interface Needs {
  readonly store: PasskeyStore;
  readonly rp: RelyingParty;
}

/** What to tell the browser after a refusal; undefined when the passkey is known and something else was wrong. */
export async function unknownSignal({ store, rp }: Needs, response: unknown): Promise<UnknownSignal | undefined> {
  const read = readAuthentication(response) ?? readRegistration(response);
  if (!read || (await store.find(read.credentialId))) return undefined;
  return { unknown: { rpId: rp.id, credentialId: read.credentialId } };
}

/** What to tell the browser of a signed-in person; undefined when they never had a passkey. */
export async function accountSignals({ store, rp }: Needs, owner: PasskeyOwner): Promise<AccountSignals | undefined> {
  const userId = await store.ceremonies.handle(owner.id);
  if (userId === undefined) return undefined;
  const passkeys = await store.list(owner.id);
  return {
    accepted: { rpId: rp.id, userId, allAcceptedCredentialIds: passkeys.map(({ credentialId }) => credentialId) },
    details: { rpId: rp.id, userId, ...namesOf(owner) },
  };
}
